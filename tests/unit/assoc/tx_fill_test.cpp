// Packets out: bundling, cutting, cwnd, burst, windows.

#include "tests/unit/assoc/tx_fixture.hpp"

namespace sluice::assoc {
namespace {

class FillTest : public SenderTest {};

TEST_F(FillTest, MessagesAreBundledUpToThePathMtu) {
  start();
  for (int i = 0; i < 100; ++i) send_bytes(64);
  const auto packets = flush();
  ASSERT_GE(packets.size(), 2u);
  EXPECT_EQ(packets[0].size(), kPmdcs / 80);
  Tsn expected(1000);
  for (const SentData& chunk : flat(packets)) {
    EXPECT_EQ(chunk.tsn, expected);
    ++expected;
  }
}

TEST_F(FillTest, LongMessageIsCutToFullPackets) {
  start();
  open_cwnd(paths[0]);
  std::string text(5000, ' ');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 23);
  send(text);
  const SentPacket sent = flat(flush());
  ASSERT_EQ(sent.size(), 4u);
  std::string joined;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(sent[i].begin, i == 0);
    EXPECT_EQ(sent[i].end, i == 3);
    EXPECT_EQ(sent[i].ssn, Ssn(0));
    EXPECT_EQ(sent[i].text.size(), i < 3 ? kFragment : 5000 - 3 * kFragment);
    joined += sent[i].text;
  }
  EXPECT_EQ(joined, text);
  EXPECT_EQ(counters.messages_fragmented, 1u);
}

TEST_F(FillTest, FragmentSizeIsThatOfTheSmallestPath) {
  make();
  paths[1].pmtu = 1280;
  start();
  open_cwnd(paths[0]);
  send_bytes(4000);
  EXPECT_EQ(flush()[0][0].text.size(), 1280u - 20 - 12 - 16);
  sender->set_fragment_size(1001);
  send_bytes(4000);
  sack({.cumulative = sender->next_tsn().value() - 1});
  EXPECT_EQ(flat(flush())[0].text.size(), 1000u) << "a multiple of 4";
}

TEST_F(FillTest, MessageThatFitsOnePacketIsNotCutToFillUpAnother) {
  start();
  open_cwnd(paths[0]);
  send_bytes(200);
  send_bytes(1400);
  const auto packets = flush();
  ASSERT_EQ(packets.size(), 2u);
  EXPECT_TRUE(packets[1][0].begin && packets[1][0].end);
}

TEST_F(FillTest, LongMessageFillsUpAPacketThatIsHalfEmpty) {
  start();
  open_cwnd(paths[0]);
  send_bytes(400);
  send_bytes(3000);
  const auto packets = flush();
  ASSERT_EQ(packets[0].size(), 2u);
  EXPECT_TRUE(packets[0][1].begin && !packets[0][1].end);
}

TEST_F(FillTest, CutsToTheRoomThatOtherChunksLeave) {
  start();
  send_bytes(3000);
  std::array<std::byte, 1480> memory;
  wire::PacketWriter packet(memory, {});
  ASSERT_NE(packet.append_chunk(wire::ChunkType::cookie_ack, 0, 0), nullptr);
  EXPECT_EQ(sender->fill(now, paths, paths[0], packet), 1u);
  EXPECT_EQ(read_data(packet.bytes())[0].text.size(), kFragment - 4);
}

TEST_F(FillTest, NothingIsWrittenWhereOnlyACutWouldFit) {
  start();
  send_bytes(kFragment);
  std::array<std::byte, 1480> memory;
  wire::PacketWriter packet(memory, {});
  ASSERT_NE(packet.append_chunk(wire::ChunkType::cookie_ack, 0, 0), nullptr);
  EXPECT_EQ(sender->fill(now, paths, paths[0], packet), 0u);
  EXPECT_EQ(sender->next_tsn(), Tsn(1000)) << "no TSN was given";
  EXPECT_TRUE(sender->has_data_for(paths[0]));
}

TEST_F(FillTest, InitialCwndAllowsThreePacketsOfWhichTheLastMayExceedIt) {
  start();
  for (int i = 0; i < 10; ++i) send_bytes(kFragment - 8);
  EXPECT_EQ(flush().size(), 4u) << "three packets stay just below cwnd";
  EXPECT_GT(paths[0].outstanding, paths[0].congestion->cwnd());
  EXPECT_LT(paths[0].outstanding, paths[0].congestion->cwnd() + kPmdcs);
}

TEST_F(FillTest, FlightCountsHeadersAndPadding) {
  start();
  send_bytes(5);
  flush();
  EXPECT_EQ(paths[0].outstanding, 24u);
  EXPECT_EQ(sender->outstanding_bytes(), 5u);
  check_scoreboard();
}

TEST_F(FillTest, MaxBurstLimitsThePacketsOfOneTurn) {
  start();
  open_cwnd(paths[0]);
  send_bytes(20 * kFragment);
  EXPECT_EQ(flush().size(), 4u);
  EXPECT_FALSE(sender->has_data_for(paths[0]));
  sack({.cumulative = 1001});
  EXPECT_EQ(flush().size(), 4u);
  sack({.cumulative = 1002});
  sack({.cumulative = 1003});
  EXPECT_EQ(flush().size(), 8u) << "each SACK allows a burst";
}

TEST_F(FillTest, SackForManyPacketsAllowsABurstForEveryTwo) {
  parameters.max_burst = 8;
  start();
  open_cwnd(paths[0]);
  send_bytes(60 * kFragment);
  EXPECT_EQ(flush().size(), 8u);
  sack({.cumulative = 1007});
  EXPECT_EQ(flush().size(), 32u);
}

TEST_F(FillTest, MaxBurstOfNothingIsNoLimit) {
  parameters.max_burst = 0;
  start();
  open_cwnd(paths[0]);
  send_bytes(20 * kFragment);
  EXPECT_EQ(flush().size(), 20u);
}

TEST_F(FillTest, PeersWindowLimitsNewData) {
  handshake.peer_window = 3000;
  start();
  open_cwnd(paths[0]);
  for (int i = 0; i < 4; ++i) send_bytes(1000);
  EXPECT_EQ(flat(flush()).size(), 3u);
  EXPECT_EQ(sender->peer_window(), 0u);
  sack({.cumulative = 1000, .window = 2000});
  EXPECT_EQ(sender->peer_window(), 0u) << "a_rwnd less what is in flight";
  EXPECT_TRUE(flush().empty());
  sack({.cumulative = 1001, .window = 2000});
  EXPECT_EQ(flat(flush()).size(), 1u);
}

TEST_F(FillTest, NoSmallPieceIsCutIntoASmallWindow) {
  handshake.peer_window = 4000;
  start();
  open_cwnd(paths[0]);
  send_bytes(3 * kFragment);
  const SentPacket sent = flat(flush());
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[1].text.size(), kFragment);
}

TEST_F(FillTest, ChunksAreNoLargerThanTheWindowCanEverTake) {
  make();
  for (Path& path : paths) path.pmtu = 9000;
  handshake.peer_window = 4000;
  start();
  open_cwnd(paths[0]);
  send_bytes(8000);
  EXPECT_EQ(flat(flush()).at(0).text.size(), 4000u);
}

TEST_F(FillTest, WindowOf1500BytesTakesAFullPacketAtATime) {
  handshake.peer_window = 1500;
  start();
  send_bytes(kFragment);
  const SentPacket whole = flat(flush());
  ASSERT_EQ(whole.size(), 1u);
  EXPECT_TRUE(whole[0].begin && whole[0].end);
  sack({.cumulative = 1000, .window = 1500});
  send_bytes(2000);
  const SentPacket first = flat(flush());
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].text.size(), kFragment);
  EXPECT_TRUE(first[0].begin && !first[0].end);
  sack({.cumulative = 1001, .window = 1500});
  const SentPacket rest = flat(flush());
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].text.size(), 2000 - kFragment);
  EXPECT_TRUE(!rest[0].begin && rest[0].end);
}

TEST_F(FillTest, LastChunkAsksForASackWhenNothingMoreIsQueued) {
  start();
  open_cwnd(paths[0]);
  for (int i = 0; i < 30; ++i) send_bytes(100);
  const SentPacket sent = flat(flush());
  for (const SentData& chunk : sent) EXPECT_EQ(chunk.immediate, chunk.tsn == sent.back().tsn);
}

TEST_F(FillTest, RequestAsksForASackOnItsLastChunk) {
  start();
  open_cwnd(paths[0]);
  SendRequest asking = request(std::string(2000, 'x'));
  asking.sack_immediately = true;
  sender->send(std::move(asking));
  send_bytes(1000);
  const SentPacket sent = flat(flush());
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_FALSE(sent[0].immediate);
  EXPECT_TRUE(sent[1].immediate);
}

TEST_F(FillTest, PacketThatFillsASmallCwndAsksForASack) {
  start();
  send_bytes(20000);
  const SentPacket sent = flat(flush());
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_FALSE(sent[1].immediate);
  EXPECT_TRUE(sent[2].immediate);
}

TEST_F(FillTest, EmptySegmentPoolStopsBeforeATsnIsGiven) {
  limits.sent_segments = 1;
  handshake.local_initial_tsn = Tsn(1024);  // the first of a segment
  start();
  open_cwnd(paths[0]);
  for (int i = 0; i < 40; ++i) send("x");
  EXPECT_EQ(fill(paths[0]).size(), 32u);
  EXPECT_EQ(fill(paths[0]).size(), 0u);
  EXPECT_EQ(sender->next_tsn(), Tsn(1024 + 32));
  sack({.cumulative = 1024 + 31});
  EXPECT_EQ(fill(paths[0]).size(), 8u);
}

TEST_F(FillTest, SenderThatFindsNoSegmentIsFlushedWhenAnotherFreesOne) {
  limits.sent_segments = 1;
  make();
  Sender other(*services, parameters, AssocId(8), EndpointId(3));
  other.start(handshake, paths);
  start();
  send("x");
  flush();
  ASSERT_EQ(other.send(request("y")), SendStatus::queued);
  const auto fill_other = [&] {
    std::array<std::byte, 1500> memory;
    wire::PacketWriter packet(memory, {});
    return other.fill(now, paths, paths[1], packet);
  };
  EXPECT_EQ(fill_other(), 0u);
  EXPECT_TRUE(host.flushes_wanted.empty());
  sack({.cumulative = 1000});
  EXPECT_EQ(host.flushes_wanted, std::vector{AssocId(8)});
  EXPECT_EQ(fill_other(), 1u);
  other.fail_all(Reason::closed);
  paths[1].outstanding = 0;
}

TEST_F(FillTest, IdlePathShrinksItsCwndOncePerRto) {
  start();
  open_cwnd(paths[0], 97);
  const std::uint32_t cwnd = paths[0].congestion->cwnd();
  ASSERT_EQ(cwnd, 100 * kPmdcs);
  send("x");
  flush();
  sack({.cumulative = 1000});
  const std::uint32_t before = paths[0].congestion->cwnd();
  now += 2 * paths[0].rto.value() + 1ms;
  send("x");
  flush();
  EXPECT_EQ(paths[0].congestion->cwnd(), before / 4);
  EXPECT_EQ(paths[0].congestion->ssthresh(), before);
}

TEST_F(FillTest, PathInUseKeepsItsCwnd) {
  start();
  open_cwnd(paths[0], 97);
  send("x");
  flush();
  now += 10 * paths[0].rto.value();
  send("x");
  flush();
  EXPECT_EQ(paths[0].congestion->cwnd(), 100 * kPmdcs) << "data was in flight";
}

TEST_F(FillTest, TsnsWrap) {
  handshake.local_initial_tsn = Tsn(0xfffffffe);
  start();
  open_cwnd(paths[0]);
  for (int i = 0; i < 100; ++i) send("x");
  const SentPacket sent = flat(flush());
  ASSERT_EQ(sent.size(), 100u);
  EXPECT_EQ(sent[2].tsn, Tsn(0));
  EXPECT_TRUE(sack({.cumulative = 0xfffffffd}).valid);
  EXPECT_TRUE(sack({.cumulative = 0xfffffffe, .gaps = {{3, 5}}}).valid);
  EXPECT_EQ(sender->gap_acked_chunks(), 3u);
  EXPECT_TRUE(sack({.cumulative = 97}).cumulative_advanced);
  EXPECT_TRUE(sender->drained());
}

TEST_F(FillTest, CountsWhatItSends) {
  start();
  send("abc");
  SendRequest loose = request("de");
  loose.unordered = true;
  sender->send(std::move(loose));
  flush();
  EXPECT_EQ(counters.ordered_chunks_sent, 1u);
  EXPECT_EQ(counters.unordered_chunks_sent, 1u);
  EXPECT_EQ(counters.bytes_sent, 5u);
}

}  // namespace
}  // namespace sluice::assoc
