# the build itself; a sanitized library has symbols and globals of its own
if(NOT LUC_SANITIZE)
  foreach(script check_layers test_install cross_aarch64)
    add_test(NAME ${script} COMMAND ${CMAKE_SOURCE_DIR}/tests/${script}.sh ${CMAKE_BINARY_DIR}
             WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${script} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300 LABELS release)
  endforeach()
  # no build directory to choose: ./dev bench measures build/release
  if(CMAKE_BINARY_DIR STREQUAL "${CMAKE_SOURCE_DIR}/build/release")
    add_test(NAME bench COMMAND ${CMAKE_SOURCE_DIR}/tests/test_bench.sh
             WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(bench PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120 LABELS release)
  endif()
endif()

# What a person does: the page in a browser, the commands of the README. Against the release build,
# since nobody waits for a sanitized network; the server itself is tested sanitized elsewhere.
if(NOT LUC_SANITIZE AND TARGET lucida)
  add_test(NAME browser COMMAND ${CMAKE_SOURCE_DIR}/tests/with_server.sh ${CMAKE_BINARY_DIR}
           ${CMAKE_SOURCE_DIR}/tests/browser/run.sh ${CMAKE_BINARY_DIR})
  add_test(NAME readme_commands COMMAND ${CMAKE_SOURCE_DIR}/tests/with_server.sh ${CMAKE_BINARY_DIR}
           ${CMAKE_SOURCE_DIR}/tests/readme_commands.sh)
  set_tests_properties(browser readme_commands PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600
                       LABELS release WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
endif()
