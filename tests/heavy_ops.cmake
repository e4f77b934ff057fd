# heavy operators. Tests of any operator: LINK core gradcheck
add_library(gradcheck STATIC gradcheck.c)
target_link_libraries(gradcheck PRIVATE core luc_flags)
target_include_directories(gradcheck SYSTEM PRIVATE ${CMOCKA_INC})
luc_test(test_gradcheck LINK gradcheck core)
luc_test(test_blas LINK core)
luc_test(test_conv LINK gradcheck core)
luc_test(test_op_conv LINK gradcheck core)
