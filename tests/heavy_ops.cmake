# heavy operators. Tests of any operator: LINK core gradcheck
add_library(gradcheck STATIC gradcheck.c op_attrs.c)
target_link_libraries(gradcheck PRIVATE core luc_flags)
target_include_directories(gradcheck SYSTEM PRIVATE ${CMOCKA_INC})
luc_test(test_gradcheck LINK gradcheck core)
luc_test(test_blas LINK core)
luc_test(test_conv LINK gradcheck core)
luc_test(test_winograd LINK core)
luc_test(test_conv_panel LINK gradcheck core)
luc_test(test_op_conv LINK gradcheck core)
luc_test(test_pooling LINK gradcheck core)
luc_test(test_op_pool LINK gradcheck core)
luc_test(test_op_norm LINK gradcheck core)
luc_test(test_op_product LINK gradcheck core)
luc_test(test_op_conv_transpose LINK gradcheck core)

# not a test: cmake --build build/release --target bench_conv
add_executable(bench_conv EXCLUDE_FROM_ALL bench/bench_conv.c)
target_link_libraries(bench_conv PRIVATE core luc_flags)
