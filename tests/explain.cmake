# Explanations: analytic tests on the linear model, each with its helper.
foreach(method cam guided_backprop rise smoothgrad)
  luc_test(test_method_${method} LINK core SOURCES linear_model.c method_case.c)
endforeach()
luc_test(test_method_filters LINK core SOURCES linear_model.c method_case.c net_build.c)
luc_test(test_method_features LINK core SOURCES linear_model.c method_case.c net_build.c)
luc_test(test_explainer LINK core SOURCES linear_model.c method_case.c)
luc_test(test_evaluate_parts LINK core SOURCES net_build.c)
luc_test(test_method_evaluate LINK core SOURCES linear_model.c method_case.c)
