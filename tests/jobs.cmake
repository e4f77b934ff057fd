# Jobs: the store, the queue, and a server that is killed.
luc_test(test_store LINK srv PkgConfig::SQLITE)
add_test(NAME http_jobs COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/http/jobs.sh ${CMAKE_BINARY_DIR}
         WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(http_jobs PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
