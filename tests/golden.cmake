# Whole networks beside PyTorch. What needs ../shared or pulled networks skips without them.
add_library(golden_util STATIC golden_util.c)
target_link_libraries(golden_util PRIVATE core luc_flags PkgConfig::JANSSON)
target_include_directories(golden_util SYSTEM PRIVATE ${CMOCKA_INC})
foreach(net squeezenet vgg19 style resnet50 cartoon explain attack generate)
  luc_test(test_golden_${net} LINK golden_util core LABELS golden)
endforeach()
add_test(NAME golden_explain_resnet50 COMMAND test_golden_explain resnet50
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(golden_explain_resnet50 PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77 LABELS golden)

add_test(NAME golden_explain_complete COMMAND test_golden_explain complete
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(golden_explain_complete PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77 LABELS release)

luc_test(test_style_reference LINK golden_util core LABELS golden)
add_test(NAME style_reference_vgg19 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
  COMMAND sh -c "tests/make_shared_models.sh \"\${LUCIDA_SHARED:-../shared}\" '${CMAKE_CURRENT_BINARY_DIR}/shared_models' && exec '$<TARGET_FILE:test_style_reference>' vgg19 '${CMAKE_CURRENT_BINARY_DIR}/shared_models'")
set_tests_properties(style_reference_vgg19 PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77 LABELS golden)

# timed by ./dev bench
foreach(t bench_net bench_gatys bench_occlusion)
  add_executable(${t} bench/${t}.c bench/bench_common.c)
  target_link_libraries(${t} PRIVATE core luc_flags)
endforeach()
add_executable(bench_peak bench/bench_peak.c)
target_link_libraries(bench_peak PRIVATE core luc_flags)
target_compile_options(bench_peak PRIVATE -ffp-contract=fast) # as core
