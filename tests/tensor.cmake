luc_test(test_codec LINK core)
