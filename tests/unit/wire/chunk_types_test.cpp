#include "stack/wire/chunk_types.hpp"

#include <gtest/gtest.h>

namespace sluice::wire::test {
namespace {

constexpr UnrecognizedRule kStop{.stop = true, .report = false};
constexpr UnrecognizedRule kStopAndReport{.stop = true, .report = true};
constexpr UnrecognizedRule kSkip{.stop = false, .report = false};
constexpr UnrecognizedRule kSkipAndReport{.stop = false, .report = true};

TEST(UnrecognizedRule, FollowsTheUpperTwoBitsOfEveryChunkType) {
  for (int type = 0; type < 256; ++type) {
    const UnrecognizedRule expected = type < 64    ? kStop
                                      : type < 128 ? kStopAndReport
                                      : type < 192 ? kSkip
                                                   : kSkipAndReport;
    EXPECT_EQ(unrecognized_rule(static_cast<ChunkType>(type)), expected) << type;
  }
}

TEST(UnrecognizedRule, FollowsTheUpperTwoBitsOfEveryParameterType) {
  for (int type = 0; type < 65536; ++type) {
    const UnrecognizedRule expected = type < 0x4000   ? kStop
                                      : type < 0x8000 ? kStopAndReport
                                      : type < 0xc000 ? kSkip
                                                      : kSkipAndReport;
    ASSERT_EQ(unrecognized_rule(static_cast<ParameterType>(type)), expected) << type;
  }
}

}  // namespace
}  // namespace sluice::wire::test
