# Jobs: the store, the queue, and a server that is killed.
luc_test(test_store LINK srv PkgConfig::SQLITE)
