# Segmentation and attacks.
luc_test(test_segment LINK core)
luc_test(test_method_segment LINK core SOURCES linear_model.c method_case.c)
luc_test(test_method_fool LINK core SOURCES linear_model.c method_case.c)
# photographs of ../shared; in the release build, where it takes seconds
luc_test(test_segment_photos LINK golden_util core PkgConfig::JANSSON LABELS release)
