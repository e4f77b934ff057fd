luc_test(test_codec LINK core)
luc_test(test_npy LINK core)
luc_test(test_resize LINK core)
luc_test(test_draw LINK core)
