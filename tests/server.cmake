# Tests of config/, api/ and server/.
luc_test(test_config LINK config)
