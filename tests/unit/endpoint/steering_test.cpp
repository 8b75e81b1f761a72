#include "stack/endpoint/steering.hpp"

#include <gtest/gtest.h>

#include "tests/unit/endpoint/worker_fixture.hpp"

namespace sluice::endpoint {
namespace {

using wire::ChunkType;

class SteeringTest : public test::WorkerFixture {
 protected:
  SteeringTest() : WorkerFixture(8) {}
  Route classify(ChunkType first, VTag packet_tag, std::uint8_t flags = 0) {
    return steering.classify(bare(first, {.tag = packet_tag}, flags).buffer.bytes());
  }
  const VTag tag = steering.new_tag(WorkerId(6), random);
  const WorkerId directory_worker = steering.directory_of(test::kLocalPort, test::kPeerPort);
};

TEST_F(SteeringTest, WhatBearsOurTagGoesToItsOwner) {
  for (const ChunkType type : {ChunkType::data, ChunkType::init_ack, ChunkType::sack, ChunkType::heartbeat,
                               ChunkType::abort, ChunkType::shutdown, ChunkType::shutdown_ack, ChunkType::error,
                               ChunkType::cookie_echo, ChunkType::cookie_ack, ChunkType::shutdown_complete}) {
    const Route route = classify(type, tag);
    EXPECT_EQ(route.to, Route::To::owner);
    EXPECT_EQ(route.worker, WorkerId(6));
    EXPECT_EQ(route.tag, tag);
    EXPECT_EQ(route.local_port, test::kLocalPort);
    EXPECT_EQ(route.peer_port, test::kPeerPort);
  }
}

TEST_F(SteeringTest, InitGoesToTheDirectoryWhateverItsTag) {
  for (const VTag any : {VTag(0), tag}) {
    const Route route = classify(ChunkType::init, any);
    EXPECT_EQ(route.to, Route::To::directory);
    EXPECT_EQ(route.worker, directory_worker);
  }
}

TEST_F(SteeringTest, ReflectedTagsGoToTheDirectory) {
  for (const ChunkType type : {ChunkType::abort, ChunkType::shutdown_complete}) {
    const Route route = classify(type, tag, wire::kFlagTagReflected);
    EXPECT_EQ(route.to, Route::To::directory);
    EXPECT_EQ(route.worker, directory_worker);
  }
  // The lowest flag of other chunks means something else.
  EXPECT_EQ(classify(ChunkType::data, tag, 1).to, Route::To::owner);
}

TEST_F(SteeringTest, AZeroTagWithoutInitGoesNowhere) {
  EXPECT_EQ(classify(ChunkType::data, VTag(0)).to, Route::To::nowhere);
  EXPECT_EQ(classify(ChunkType::cookie_echo, VTag(0)).to, Route::To::nowhere);
  EXPECT_EQ(classify(ChunkType::abort, VTag(0)).to, Route::To::nowhere);
}

TEST_F(SteeringTest, APacketWithoutAChunkHeaderGoesNowhere) {
  const base::InboundPacket packet = bare(ChunkType::data, {.tag = tag});
  const auto bytes = packet.buffer.bytes();
  ASSERT_EQ(bytes.size(), 16u);
  for (std::size_t n = 0; n < 16; ++n) {
    const std::vector<std::byte> shorter(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    EXPECT_EQ(steering.classify(shorter).to, Route::To::nowhere);
  }
}

TEST_F(SteeringTest, TheDirectoryDependsOnThePortsAlone) {
  for (const IpAddress& source : {test::kPeer, test::kPeer2, test::ip("2001:db8::9")})
    EXPECT_EQ(steering.classify(init({.packet = {.source = source}}).buffer.bytes()).worker, directory_worker);
  std::set<std::uint16_t> used;
  for (std::uint16_t port = 1; port < 200; ++port) used.insert(steering.directory_of(2905, port).value);
  EXPECT_EQ(used.size(), 8u);
}

TEST_F(SteeringTest, AllWorkersAgree) {
  const Steering copy(base::SipKey{1, 2}, 8);
  for (std::uint16_t port = 1; port < 100; ++port)
    EXPECT_EQ(copy.directory_of(port, 77), steering.directory_of(port, 77));
  EXPECT_EQ(copy.owner_of(tag), WorkerId(6));
}

TEST_F(SteeringTest, ALonelyWorkerIsConcernedWithEverything) {
  const Steering lonely(base::SipKey{1, 2}, 1);
  for (std::uint32_t i = 1; i < 1000; ++i) {
    EXPECT_EQ(lonely.owner_of(VTag(i * 0x01000193)), WorkerId(0));
    EXPECT_EQ(lonely.directory_of(static_cast<std::uint16_t>(i), 2905), WorkerId(0));
  }
}

TEST_F(SteeringTest, NewTagsNameEveryWorker) {
  for (std::uint16_t worker = 0; worker < 8; ++worker)
    for (int i = 0; i < 100; ++i)
      EXPECT_EQ(steering.owner_of(steering.new_tag(WorkerId(worker), random)), WorkerId(worker));
}

}  // namespace
}  // namespace sluice::endpoint
