# Jobs: the store, the queue, and a server that is killed.
luc_test(test_api_jobs LINK api SOURCES api_fake.c linear_model.c)
luc_test(test_store LINK srv PkgConfig::SQLITE)
luc_test(test_admission LINK srv)
luc_test(test_collections LINK srv)
luc_test(test_api_collections LINK api PkgConfig::JANSSON SOURCES api_fake.c linear_model.c)
luc_test(test_dry_run LINK api tiny_model core)
add_test(NAME http_jobs COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/http/jobs.sh ${CMAKE_BINARY_DIR}
         WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
add_test(NAME http_collections COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/http/collections.sh ${CMAKE_BINARY_DIR}
         WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
add_test(NAME http_disk COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/http/disk.sh ${CMAKE_BINARY_DIR}
         WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
add_test(NAME http_keys COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/http/keys.sh ${CMAKE_BINARY_DIR}
         WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
add_test(NAME http_memory COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/http/memory.sh ${CMAKE_BINARY_DIR}
         WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
add_test(NAME http_kill COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/http/kill.sh ${CMAKE_BINARY_DIR} 50
         WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
add_test(NAME http_resume COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/http/resume.sh ${CMAKE_BINARY_DIR}
         WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
add_test(NAME http_nodes COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/http/nodes.sh ${CMAKE_BINARY_DIR}
         WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
add_executable(load load.c)
target_link_libraries(load PRIVATE luc_flags)
add_test(NAME http_soak COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/http/soak.sh ${CMAKE_BINARY_DIR}
         WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
add_executable(slow_clients slow_clients.c)
target_link_libraries(slow_clients PRIVATE luc_flags)
add_test(NAME http_slow COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/http/slow.sh ${CMAKE_BINARY_DIR}
         WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
add_executable(many_streams many_streams.c)
target_link_libraries(many_streams PRIVATE luc_flags)
add_test(NAME http_streams COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/http/streams.sh ${CMAKE_BINARY_DIR}
         WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(http_collections http_jobs http_streams http_disk http_keys http_memory http_nodes
                     http_resume http_soak http_slow
                     PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
set_tests_properties(http_kill PROPERTIES TIMEOUT 600 LABELS slow SKIP_RETURN_CODE 77)
