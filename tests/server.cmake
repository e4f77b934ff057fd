# Tests of config/, api/ and server/.
luc_test(test_profile LINK srv core)
luc_test(test_config LINK config)
luc_test(test_api_forms LINK api)
luc_test(test_api_methods LINK api SOURCES api_fake.c linear_model.c)
luc_test(test_api_pages LINK api SOURCES api_fake.c linear_model.c)

# A running server, asked with curl. The tiny network is made on the spot.
add_executable(write_tiny write_tiny.c)
target_link_libraries(write_tiny PRIVATE tiny_model)
add_executable(mutate mutate.c)
target_link_libraries(mutate PRIVATE core luc_flags)
foreach(name answers errors hostile load)
  add_test(NAME http_${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/http/${name}.sh ${CMAKE_BINARY_DIR}
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(http_${name} PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
endforeach()
