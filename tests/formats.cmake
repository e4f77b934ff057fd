# model readers
luc_test(test_file LINK core)
luc_test(test_onnx SOURCES onnx_build.c LINK core PkgConfig::PROTOBUF_C)
luc_test(test_onnx_cases SOURCES onnx_case.c LINK core PkgConfig::PROTOBUF_C)
foreach(t test_onnx test_onnx_cases)
  target_include_directories(${t} SYSTEM PRIVATE
    $<TARGET_PROPERTY:onnx_proto,INTERFACE_INCLUDE_DIRECTORIES>)
endforeach()
luc_test(test_tfjs LINK core)
