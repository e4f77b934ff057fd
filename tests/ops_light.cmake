# element-wise, shape and data-movement operators
add_library(optest STATIC optest.c)
target_link_libraries(optest PUBLIC gradcheck core luc_flags)
target_include_directories(optest SYSTEM PRIVATE ${CMOCKA_INC})
foreach(unit activations arithmetic cast compare concat dequantize_linear einsum move pad reduce relu resize rownorm scatter softmax
        views)
  luc_test(test_op_${unit} LINK optest gradcheck core)
endforeach()
