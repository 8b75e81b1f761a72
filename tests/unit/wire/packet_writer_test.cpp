#include "stack/wire/packet_writer.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "stack/base/heap_buffers.hpp"
#include "stack/wire/chunk_types.hpp"
#include "stack/wire/chunk_writer.hpp"
#include "tests/unit/wire/octets.hpp"

namespace sluice::wire::test {
namespace {

constexpr CommonHeader kPorts{
    .source_port = 0x0b59, .destination_port = 0x0b5a, .tag = VTag(0x01020304), .checksum = 0};
constexpr const char* kPortsHex = "0b590b5a0102030400000000";

/// Memory full of 0xff, so that bytes that nobody wrote show.
Octets dirty(std::size_t size) {
  return Octets(std::vector<std::byte>(size, std::byte{0xff}));
}

TEST(PacketWriter, BeginsWithTheCommonHeaderAndNoChunk) {
  Octets memory = dirty(40);
  const PacketWriter packet(memory.span(), kPorts);
  EXPECT_TRUE(packet.empty());
  EXPECT_EQ(packet.size(), 12u);
  EXPECT_EQ(packet.room(), 28u);
  EXPECT_EQ(to_hex(packet.bytes()), kPortsHex);
}

TEST(PacketWriter, WritesChunkHeaderAndZeroPadding) {
  for (std::uint32_t body = 0; body <= 8; ++body) {
    Octets memory = dirty(64);
    PacketWriter packet(memory.span(), kPorts);
    std::byte* const at = packet.append_chunk(ChunkType::cookie_echo, 0x5a, body);
    ASSERT_NE(at, nullptr);
    std::memset(at, 0x11, body);
    EXPECT_FALSE(packet.empty());
    EXPECT_EQ(packet.size(), 12 + 4 + padded(body));
    std::string expected = std::string(kPortsHex) + "0a5a000" + "0123456789abc"[4 + body];
    for (std::uint32_t i = 0; i < padded(body); ++i) expected += i < body ? "11" : "00";
    EXPECT_EQ(to_hex(packet.bytes()), expected);
  }
}

TEST(PacketWriter, FillsItsLimitToTheLastByteAndRefusesOneMore) {
  Octets memory = dirty(32);
  PacketWriter packet(memory.span(), kPorts);
  EXPECT_EQ(packet.append_chunk(ChunkType::cookie_echo, 0, 17), nullptr);
  EXPECT_TRUE(packet.empty());
  EXPECT_EQ(packet.size(), 12u);
  std::byte* const at = packet.append_chunk(ChunkType::cookie_echo, 0, 16);
  ASSERT_NE(at, nullptr);
  std::memset(at, 0, 16);
  EXPECT_EQ(packet.room(), 0u);
  EXPECT_EQ(packet.append_chunk(ChunkType::cookie_ack, 0, 0), nullptr);
}

TEST(PacketWriter, CountsOnlyWholeWordsOfItsLimitSoThatPaddingFits) {
  for (std::size_t odd = 0; odd < 4; ++odd) {
    Octets memory = dirty(20 + odd);
    PacketWriter packet(memory.span(), kPorts);
    EXPECT_EQ(packet.room(), 8u);
    EXPECT_EQ(packet.append_chunk(ChunkType::cookie_echo, 0, 5), nullptr);
    EXPECT_NE(packet.append_chunk(ChunkType::cookie_echo, 0, 3), nullptr);
  }
}

TEST(PacketWriter, RefusesWhatNoLengthFieldCanSay) {
  Octets memory = dirty(70000);
  PacketWriter packet(memory.span(), kPorts);
  EXPECT_EQ(packet.room() + packet.size(), 65532u);
  EXPECT_EQ(packet.append_chunk(ChunkType::data, 0, 65536), nullptr);
  EXPECT_EQ(packet.append_chunk(ChunkType::data, 0, UINT32_MAX), nullptr);
  EXPECT_EQ(packet.append_chunk(ChunkType::data, 0, UINT32_MAX - 3), nullptr);
  EXPECT_EQ(packet.append(UINT32_MAX), nullptr);
  EXPECT_TRUE(packet.empty());
}

TEST(PacketWriter, KeepsTheLengthOfItsBuffer) {
  base::HeapBuffers heap;
  base::Buffer buffer = heap.allocate(96, 100);
  PacketWriter packet(buffer, 40, kPorts);
  EXPECT_EQ(buffer.size(), 12u);
  EXPECT_EQ(packet.room(), 28u);
  std::byte* const at = packet.append_chunk(ChunkType::cookie_echo, 0, 3);
  ASSERT_NE(at, nullptr);
  std::memset(at, 0x22, 3);
  EXPECT_EQ(buffer.size(), 20u);
  EXPECT_EQ(buffer.headroom(), 96u);
  EXPECT_EQ(to_hex(buffer.bytes()), std::string(kPortsHex) + "0a00000722222200");
  packet.truncate(12);
  EXPECT_EQ(buffer.size(), 12u);
}

TEST(PacketWriter, TakesNoMoreThanItsBufferHolds) {
  base::HeapBuffers heap;
  base::Buffer buffer = heap.allocate(96, 30);
  const PacketWriter packet(buffer, 1500, kPorts);
  EXPECT_EQ(packet.room(), 16u);
}

TEST(PacketWriter, TruncateGivesTheRoomBack) {
  Octets memory = dirty(40);
  PacketWriter packet(memory.span(), kPorts);
  ASSERT_NE(packet.append_chunk(ChunkType::cookie_ack, 0, 0), nullptr);
  const std::uint32_t before = packet.size();
  ASSERT_NE(packet.append_chunk(ChunkType::shutdown_ack, 0, 0), nullptr);
  packet.truncate(before);
  EXPECT_EQ(packet.room(), 24u);
  EXPECT_EQ(to_hex(packet.bytes()), std::string(kPortsHex) + "0b000004");
}

TEST(ChunkWriter, LeavesOnlyTheLastPaddingOutOfTheChunkLength) {
  Octets memory = dirty(64);
  PacketWriter packet(memory.span(), kPorts);
  ChunkWriter chunk(packet, ChunkType::init, 0, 4);
  ASSERT_TRUE(chunk);
  base::store_be(chunk.fixed(), std::uint32_t{0x0a0b0c0d});
  const Octets odd = hex("aabbcc");
  EXPECT_TRUE(chunk.append(ParameterType::state_cookie, odd));
  EXPECT_EQ(to_hex(packet.bytes().subspan(12)), "0100000f0a0b0c0d00070007aabbcc00");
  EXPECT_TRUE(chunk.append(ParameterType::random, hex("dd")));
  EXPECT_EQ(to_hex(packet.bytes().subspan(12)), "010000150a0b0c0d00070007aabbcc0080020005dd000000");
}

TEST(ChunkWriter, RefusesAParameterThatDoesNotFitAndStaysWhole) {
  Octets memory = dirty(12 + 4 + 8);
  PacketWriter packet(memory.span(), kPorts);
  ChunkWriter chunk(packet, ChunkType::error, 0);
  ASSERT_TRUE(chunk);
  EXPECT_EQ(chunk.value_room(), 4u);
  EXPECT_FALSE(chunk.append(ParameterType::random, hex("0102030405")));
  EXPECT_EQ(chunk.append(ParameterType::random, UINT32_MAX), nullptr);
  EXPECT_EQ(to_hex(packet.bytes().subspan(12)), "09000004");
  EXPECT_TRUE(chunk.append(ParameterType::random, hex("01020304")));
  EXPECT_EQ(chunk.value_room(), 0u);
  EXPECT_EQ(chunk.append(ParameterType::random, 0), nullptr);
  EXPECT_EQ(to_hex(packet.bytes().subspan(12)), "0900000c8002000801020304");
}

TEST(ChunkWriter, OfAChunkThatDidNotFitRefusesEverything) {
  Octets memory = dirty(16);
  PacketWriter packet(memory.span(), kPorts);
  ChunkWriter chunk(packet, ChunkType::init, 0, 16);
  EXPECT_FALSE(chunk);
  EXPECT_EQ(chunk.value_room(), 0u);
  EXPECT_EQ(chunk.append(ParameterType::random, 0), nullptr);
  EXPECT_FALSE(chunk.append(ParameterType::random, std::span<const std::byte>()));
  EXPECT_TRUE(packet.empty());
}

}  // namespace
}  // namespace sluice::wire::test
