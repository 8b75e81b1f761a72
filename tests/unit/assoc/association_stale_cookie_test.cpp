// Stale Cookie errors while an association is being set up (RFC 9260 §5.2.6).
#include <gmock/gmock.h>

#include "tests/unit/assoc/association_setup.hpp"

namespace sluice::assoc {
namespace {

using ::testing::ElementsAre;

TEST_F(AssociationSetup, StaleCookieLeadsToANewInitThatAsksForMoreTime) {
  go_cookie_echoed();
  now_ += 300ms;
  inject_stale_cookie();
  EXPECT_EQ(association().state(), State::cookie_wait);
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::init});
  EXPECT_EQ(packets[0].header.tag, VTag(0));
  std::optional<std::chrono::milliseconds> asked;
  wire::ParameterWalker walker = wire::InitChunk::parse(packets[0].chunks[0])->parameters();
  while (const auto parameter = walker.next())
    if (const auto more = wire::read_cookie_preservative(*parameter)) asked = more;
  EXPECT_EQ(asked, 1300ms);
  inject_init_ack();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::cookie_echo});
  EXPECT_EQ(counters().control_chunks_sent, 4u) << "two of each, none of them sent again";
  inject_cookie_ack();
  EXPECT_EQ(association().state(), State::established);
}

TEST_F(AssociationSetup, AddressesOfTheInitAckAfterAStaleCookieCount) {
  connect();
  inject_init_ack_with([](wire::ChunkWriter& chunk) {
    wire::append_address(chunk, kThere2);
    write_cookie(chunk);
  });
  send("rides along");
  EXPECT_EQ(flush().at(0).types(), (Types{ChunkType::cookie_echo, ChunkType::data}));
  EXPECT_TRUE(association().take_addresses_changed());
  inject_stale_cookie();
  flush();
  inject_init_ack_with([](wire::ChunkWriter& chunk) {
    wire::append_address(chunk, kThere2);
    wire::append_address(chunk, kThere3);
    write_cookie(chunk);
  });
  ASSERT_EQ(association().paths().size(), 3u);
  EXPECT_EQ(association().paths()[0].state, PathState::active);
  EXPECT_EQ(association().paths()[1].state, PathState::unconfirmed);
  EXPECT_EQ(association().paths()[2].route.destination, kThere3);
  EXPECT_TRUE(association().take_addresses_changed());
  EXPECT_EQ(flush().at(0).types(), (Types{ChunkType::cookie_echo, ChunkType::data}));
  EXPECT_GT(association().paths()[0].outstanding, 0u);
  inject([](wire::PacketWriter& packet) {
    wire::append_cookie_ack(packet);
    wire::append_sack(packet, kOurTsn, 100000, {}, {});
  });
  EXPECT_EQ(association().paths()[0].outstanding, 0u);
  EXPECT_EQ(association().state(), State::established);
}

TEST_F(AssociationSetup, FewerAddressesAfterAStaleCookieCountToo) {
  Handshake two = ours();
  ASSERT_TRUE(two.peer_addresses.push_back(kThere2));
  side_.open().connect(now_, two);
  flush();
  const auto both = [](wire::ChunkWriter& chunk) {
    wire::append_address(chunk, kThere);
    write_cookie(chunk);
  };
  inject_init_ack_with(both, kThere2);
  ASSERT_EQ(association().paths().size(), 2u);
  send("rides along");
  EXPECT_EQ(flush().at(0).departure.destination, kThere2);
  inject_stale_cookie(kThere2);
  flush();
  inject_init_ack();
  ASSERT_EQ(association().paths().size(), 1u);
  EXPECT_EQ(flush().at(0).types(), (Types{ChunkType::cookie_echo, ChunkType::data}));
  inject([](wire::PacketWriter& packet) {
    wire::append_cookie_ack(packet);
    wire::append_sack(packet, kOurTsn, 100000, {}, {});
  });
  EXPECT_EQ(association().paths()[0].outstanding, 0u);
}

TEST_F(AssociationSetup, StaleCookiesWithoutEndEndTheAttempt) {
  side_.parameters.max_init_retransmissions = 3;
  go_cookie_echoed();
  for (int i = 0; association().state() == State::cookie_echoed && i < 100; ++i) {
    inject_stale_cookie();
    if (association().state() == State::cookie_wait) {
      flush();
      inject_init_ack();
    } else {
      expire();
    }
    flush();
  }
  EXPECT_EQ(only(EventType::connect_failed).reason(), Reason::init_failed);
}

// Here T1 has nothing to do with the end.
TEST_F(AssociationSetup, AStaleCookieAfterTheLastInitEndsTheAttempt) {
  side_.parameters.max_init_retransmissions = 2;
  go_cookie_echoed();
  inject_stale_cookie();
  ASSERT_EQ(association().state(), State::cookie_wait);
  flush();
  inject_init_ack();
  flush();
  inject_stale_cookie();  // not believed
  expire();
  flush();
  ASSERT_EQ(association().state(), State::cookie_echoed);
  inject_stale_cookie();
  EXPECT_EQ(only(EventType::connect_failed).reason(), Reason::init_failed);
}

// The network had two copies of the COOKIE ECHO or of the error, or T1-cookie sent the first cookie again: the second
// error comes when the peer has taken the cookie that followed.
TEST_F(AssociationSetup, AStaleCookieErrorThatMayBeForTheFirstCookieIsNotBelieved) {
  go_cookie_echoed();
  inject_stale_cookie();
  flush();
  inject_init_ack();
  flush();
  inject([](wire::PacketWriter& packet) {
    wire::ChunkWriter error = wire::append_error(packet);
    wire::append_stale_cookie(error, 0us);
    wire::append_heartbeat(packet, std::array<std::byte, 8>{});
  });
  EXPECT_EQ(association().state(), State::cookie_echoed);
  EXPECT_EQ(counters().stale_cookies_doubted, 1u);
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::heartbeat_ack}) << "what stands behind it is read";
  inject_cookie_ack();
  EXPECT_EQ(association().state(), State::established);
}

TEST_F(AssociationSetup, AStaleCookieErrorThatWasNotBelievedLeavesT1Alone) {
  go_cookie_echoed();
  inject_stale_cookie();
  flush();
  inject_init_ack();
  flush();
  const Timestamp deadline = association().next_deadline();
  inject_stale_cookie();
  EXPECT_EQ(association().next_deadline(), deadline);
  expire();
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::cookie_echo});
}

// It was right after all: for the second cookie, or for a late INIT ACK's.
TEST_F(AssociationSetup, AStaleCookieErrorIsBelievedWhenT1CookieExpiredAfterOneThatWasNot) {
  go_cookie_echoed();
  inject_stale_cookie();
  ASSERT_EQ(association().state(), State::cookie_wait) << "the first is believed";
  flush();
  expire();  // T1-init says nothing of cookies
  flush();
  inject_init_ack();
  flush();
  expire();  // nor does T1-cookie without an error: the COOKIE ACK was lost
  flush();
  inject_stale_cookie();
  ASSERT_EQ(association().state(), State::cookie_echoed);
  expire();
  flush();
  inject_stale_cookie();
  EXPECT_EQ(association().state(), State::cookie_wait);
  EXPECT_EQ(flush().at(0).types(), Types{ChunkType::init});
  inject_init_ack();
  flush();
  inject_stale_cookie();
  EXPECT_EQ(association().state(), State::cookie_echoed) << "in the third round the second one is doubted again";
}

TEST_F(AssociationSetup, StaleCookieMeansNothingLater) {
  go_established();
  inject_stale_cookie();
  EXPECT_EQ(association().state(), State::established);
  EXPECT_TRUE(host().seen(EventType::remote_error).empty());
}

TEST_F(AssociationSetup, AfterAStaleCookieTheInitHasTheTagAndTsnOfTheFirst) {
  go_cookie_echoed();
  inject_stale_cookie();
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  const auto init = wire::InitChunk::parse(packets[0].chunks.at(0));
  ASSERT_TRUE(init);
  EXPECT_EQ(init->init_tag(), kOurTag);
  EXPECT_EQ(init->initial_tsn(), kOurTsn);
}

TEST_F(AssociationSetup, StaleCookieIsSeenWhereverItStandsAmongTheCauses) {
  go_cookie_echoed();
  inject([](wire::PacketWriter& packet) {
    wire::ChunkWriter error = wire::append_error(packet);
    wire::append_out_of_resource(error);
    wire::append_stale_cookie(error, 0us);
  });
  EXPECT_EQ(association().state(), State::cookie_wait);
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].types(), Types{ChunkType::init});
}

// Of a peer that names somebody else, and makes us ask again.
TEST_F(AssociationSetup, AnInitAckThatSpeaksOnlyForAnAddressWeWereNotGivenIsNotTaken) {
  connect();
  inject_init_ack_with([](wire::ChunkWriter& chunk) { write_cookie(chunk); }, kThere2);
  EXPECT_EQ(association().state(), State::cookie_wait);
  EXPECT_EQ(counters().foreign_sources, 1u);
  inject_init_ack_with([](wire::ChunkWriter& chunk) {
    wire::append_address(chunk, kThere2);
    write_cookie(chunk);
  });
  flush();
  inject_stale_cookie();
  flush();
  ASSERT_EQ(association().state(), State::cookie_wait);
  inject_init_ack_with([](wire::ChunkWriter& chunk) { write_cookie(chunk); }, kThere2);
  EXPECT_EQ(association().state(), State::cookie_wait);
  EXPECT_EQ(counters().foreign_sources, 2u);
}

}  // namespace
}  // namespace sluice::assoc
