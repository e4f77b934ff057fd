# Whole networks beside PyTorch. What needs ../shared or pulled networks skips without them.
add_library(golden_util STATIC golden_util.c)
target_link_libraries(golden_util PRIVATE core luc_flags PkgConfig::JANSSON)
target_include_directories(golden_util SYSTEM PRIVATE ${CMOCKA_INC})
foreach(net squeezenet vgg19 resnet50)
  luc_test(test_golden_${net} LINK golden_util core LABELS golden)
endforeach()

# timed by ./dev bench
add_executable(bench_net bench/bench_net.c)
target_link_libraries(bench_net PRIVATE core luc_flags)
