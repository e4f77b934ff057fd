# Segmentation and attacks.
luc_test(test_segment LINK core)
