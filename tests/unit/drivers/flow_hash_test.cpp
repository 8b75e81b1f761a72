#include "drivers/flow_hash.hpp"

#include <gtest/gtest.h>

#include "tests/unit/drivers/test_frames.hpp"

namespace sluice::drivers {
namespace {

using test::ethernet_frame;
using test::sctp_frame;

TEST(FlowHash, DependsOnPortsOfWholePacketsAlone) {
  const auto frame = sctp_frame(1, 2, 1000, 2905);
  auto other_port = sctp_frame(1, 2, 1001, 2905);
  EXPECT_EQ(flow_hash(frame), flow_hash(frame));
  EXPECT_NE(flow_hash(frame), flow_hash(other_port));
  auto first_fragment = frame;
  first_fragment[20] = other_port[20] = std::byte{0x20};  // more fragments
  EXPECT_EQ(flow_hash(first_fragment), flow_hash(other_port));
  EXPECT_NE(flow_hash(first_fragment), flow_hash(frame));
}

TEST(FlowHash, LooksBehindVlanTags) {
  const auto plain = sctp_frame(1, 2, 1000, 2905);
  auto tagged = plain;
  const std::byte tag[] = {std::byte{0x81}, std::byte{0}, std::byte{0}, std::byte{5}};
  tagged.insert(tagged.begin() + 12, std::begin(tag), std::end(tag));
  EXPECT_EQ(flow_hash(tagged), flow_hash(plain));
  EXPECT_EQ(ethernet_header_length(tagged), 18u);
}

TEST(FlowHash, ReadsIpv6Ports) {
  auto frame = ethernet_frame(1, 2, 14 + 40 + 12);
  base::store_be<std::uint16_t>(&frame[12], 0x86dd);
  frame[14 + 6] = std::byte{132};
  auto other = frame;
  other[14 + 40 + 1] = std::byte{9};
  EXPECT_NE(flow_hash(frame), flow_hash(other));
}

TEST(FlowHash, ReadsNothingBehindAShortFrame) {
  const auto whole = sctp_frame(1, 2, 1000, 2905);
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    const std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    flow_hash(cut);  // under AddressSanitizer
    if (length < 34) {
      EXPECT_EQ(flow_hash(cut), 0u);
    }
  }
}

}  // namespace
}  // namespace sluice::drivers
