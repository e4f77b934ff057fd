# the build itself; a sanitized library has symbols and globals of its own
if(NOT LUC_SANITIZE)
  foreach(script check_layers test_install)
    add_test(NAME ${script} COMMAND ${CMAKE_SOURCE_DIR}/tests/${script}.sh ${CMAKE_BINARY_DIR}
             WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${script} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300 LABELS release)
  endforeach()
endif()
