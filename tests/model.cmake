# networks: the model object, the catalog, downloads, the registry
add_library(tiny_model STATIC tiny_model.c onnx_build.c)
target_link_libraries(tiny_model PUBLIC core luc_flags PkgConfig::PROTOBUF_C)
target_include_directories(tiny_model SYSTEM PUBLIC
  $<TARGET_PROPERTY:onnx_proto,INTERFACE_INCLUDE_DIRECTORIES>)
luc_test(test_model LINK tiny_model core)
luc_test(test_receptive LINK core)
luc_test(test_registry LINK srv tiny_model core PkgConfig::JANSSON)
luc_test(test_pull SOURCES drop_server.c
  LINK srv tiny_model core PkgConfig::ARCHIVE PkgConfig::CURL PkgConfig::JANSSON)
