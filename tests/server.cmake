# Tests of config/, api/ and server/.
luc_test(test_config LINK config)
luc_test(test_api_forms LINK api)
luc_test(test_api_methods LINK api SOURCES api_fake.c linear_model.c)
luc_test(test_api_pages LINK api SOURCES api_fake.c linear_model.c)
