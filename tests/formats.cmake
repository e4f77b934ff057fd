# model readers
luc_test(test_file LINK core)
luc_test(test_onnx SOURCES onnx_build.c LINK core PkgConfig::PROTOBUF_C)
target_include_directories(test_onnx SYSTEM PRIVATE
  $<TARGET_PROPERTY:onnx_proto,INTERFACE_INCLUDE_DIRECTORIES>)
