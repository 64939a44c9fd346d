# Tests: one executable a room, run by ctest as one entry with GoogleTest's own XML beside it.
# No precompiled headers: one for each executable costs more than it saves, and ccache cannot keep what was compiled with them.

find_package(GTest REQUIRED)

# davit_unit_test(room LIBS … SOURCES …) → executable unit_<room>
function(davit_unit_test room)
  cmake_parse_arguments(TEST "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(unit_${room} ${TEST_SOURCES})
  target_link_libraries(unit_${room} PRIVATE davit_options ${TEST_LIBS} GTest::gmock GTest::gtest_main)
  add_test(NAME unit_${room} COMMAND unit_${room} --gtest_output=xml:${CMAKE_BINARY_DIR}/results/unit_${room}.xml --gtest_brief=1)
  set_tests_properties(unit_${room} PROPERTIES LABELS unit TIMEOUT 300)
endfunction()

# davit_contract_test(room LIBS … SOURCES …) → executable contract_<room>; needs the hawkBit that DAVIT_TEST_HAWKBIT_* name.
function(davit_contract_test room)
  cmake_parse_arguments(TEST "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(contract_${room} ${TEST_SOURCES})
  target_link_libraries(contract_${room} PRIVATE davit_options ${TEST_LIBS} GTest::gmock GTest::gtest_main)
endfunction()
