#include "stack/base/serial.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Serial, ComparesAcrossTheWrap) {
  EXPECT_LT(Tsn(0xffffffff), Tsn(0));
  EXPECT_GT(Tsn(0), Tsn(0xffffffff));
  EXPECT_LT(Tsn(0xfffffff0), Tsn(0x10));
  EXPECT_LT(Ssn(65535), Ssn(0));
  EXPECT_LE(Tsn(7), Tsn(7));
  EXPECT_GE(Tsn(7), Tsn(7));
  EXPECT_FALSE(Tsn(7) < Tsn(7));
}

TEST(Serial, HalfTheSpaceApartIsNeitherLessNorGreater) {
  const Tsn a(5);
  const Tsn b(5 + 0x80000000u);
  EXPECT_FALSE(a < b);
  EXPECT_FALSE(a > b);
  EXPECT_LT(a, Tsn(5 + 0x7fffffffu));
  EXPECT_GT(a, Tsn(5 + 0x80000001u));
}

TEST(Serial, CountsDistanceWithSign) {
  EXPECT_EQ(Tsn(2) - Tsn(0xfffffffe), 4);
  EXPECT_EQ(Tsn(0xfffffffe) - Tsn(2), -4);
  EXPECT_EQ(Ssn(1) - Ssn(65535), 2);
  EXPECT_EQ((Tsn(0xffffffff) + 2).value(), 1u);
  EXPECT_EQ((Tsn(1) - 2).value(), 0xffffffffu);
  Tsn t(0xffffffff);
  EXPECT_EQ(++t, Tsn(0));
}

}  // namespace
}  // namespace sluice
