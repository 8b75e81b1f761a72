#include "stack/endpoint/identify.hpp"

#include <algorithm>

#include "stack/endpoint/rate_limit.hpp"
#include "tests/unit/endpoint/worker_fixture.hpp"

namespace sluice::endpoint::test {
namespace {

// What belongs() asks of an association.
struct Known {
  std::uint16_t local_port() const { return kLocalPort; }
  std::uint16_t peer_port() const { return kPeerPort; }
  bool has_local_address(const IpAddress& address) const { return address == kLocal || address == kLocal6; }
  bool has_peer_address(const IpAddress& address) const { return address == kPeer || address == kPeer2; }
};

class Identify : public WorkerFixture {
 protected:
  bool belongs_to_known(const base::InboundPacket& packet) {
    return belongs(Known{}, packet.arrival, packet.buffer.bytes());
  }
  base::InboundPacket data(const PacketOptions& options) { return bare(wire::ChunkType::data, options); }
  base::InboundPacket init_ack(const PacketOptions& options, const std::vector<IpAddress>& addresses) {
    return build(options, [&](wire::PacketWriter& packet) {
      wire::ChunkWriter chunk = wire::append_init_ack(packet, {.init_tag = VTag(1), .initial_tsn = Tsn(1)});
      for (const IpAddress& address : addresses) wire::append_address(chunk, address);
    });
  }
};

TEST_F(Identify, PortsAndBothAddressesMustBelong) {
  EXPECT_TRUE(belongs_to_known(data({})));
  EXPECT_TRUE(belongs_to_known(data({.source = kPeer2, .destination = kLocal6})));
  EXPECT_FALSE(belongs_to_known(data({.source = ip("198.18.7.7")})));
  EXPECT_FALSE(belongs_to_known(data({.destination = ip("198.18.7.7")})));
  EXPECT_FALSE(belongs_to_known(data({.source_port = kPeerPort + 1})));
  EXPECT_FALSE(belongs_to_known(data({.destination_port = kLocalPort + 1})));
}

TEST_F(Identify, AnInitAckFromANewAddressBelongsIfItListsAKnownOne) {
  EXPECT_TRUE(belongs_to_known(init_ack({.source = ip("198.18.7.7")}, {ip("198.18.8.8"), kPeer2})));
  EXPECT_FALSE(belongs_to_known(init_ack({.source = ip("198.18.7.7")}, {ip("198.18.8.8")})));
  EXPECT_FALSE(belongs_to_known(init({.packet = {.source = ip("198.18.7.7")}, .addresses = {kPeer2}})));
}

TEST_F(Identify, APacketTooShortBelongsToNobody) {
  base::InboundPacket packet = data({});
  packet.buffer.truncate(11);
  EXPECT_FALSE(belongs_to_known(packet));
}

TEST(RateLimit, LetsABurstThroughAndThenARate) {
  RateLimit limit(100, 5);
  Timestamp now = kStart;
  const auto taken = [&](int tries) {
    int n = 0;
    for (int i = 0; i < tries; ++i) n += limit.take(now);
    return n;
  };
  EXPECT_EQ(taken(100), 5);
  now += std::chrono::milliseconds(9);
  EXPECT_EQ(taken(100), 0);
  now += std::chrono::milliseconds(1);
  EXPECT_EQ(taken(100), 1);
  now += std::chrono::milliseconds(30);
  EXPECT_EQ(taken(100), 3);
  now += std::chrono::hours(1);
  EXPECT_EQ(taken(100), 5);
}

TEST(RateLimit, OfZeroLetsNothingThrough) {
  RateLimit limit(0, 5);
  EXPECT_FALSE(limit.take(kStart));
}

TEST(Backlog, CountsUpToItsLimit) {
  Backlog backlog(2);
  EXPECT_TRUE(backlog.enter());
  EXPECT_TRUE(backlog.enter());
  EXPECT_TRUE(backlog.full());
  EXPECT_FALSE(backlog.enter());
  EXPECT_EQ(backlog.waiting(), 2u);
  backlog.leave();
  EXPECT_TRUE(backlog.enter());
}

}  // namespace
}  // namespace sluice::endpoint::test
