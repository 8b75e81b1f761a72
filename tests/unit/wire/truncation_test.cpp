// Every sample chunk, cut at every byte, with the length that it had and with the length that is left. Each stands in
// memory of exactly its size, so that AddressSanitizer sees any reader that goes one byte too far.
#include <gtest/gtest.h>

#include "stack/base/endian.hpp"
#include "stack/wire/chunk.hpp"
#include "tests/unit/wire/read_packet.hpp"
#include "tests/unit/wire/samples.hpp"

namespace sluice::wire::test {
namespace {

Octets packet_of(std::span<const std::byte> chunk) {
  const Octets header = hex(kHeader);
  std::vector<std::byte> bytes(header.span().begin(), header.span().end());
  bytes.insert(bytes.end(), chunk.begin(), chunk.end());
  return Octets(bytes);
}

TEST(Truncation, EverySampleIsReadWhole) {
  for (const Sample& sample : samples()) {
    const Reading reading = read_packet(packet_of(hex(sample.chunk)));
    EXPECT_EQ(reading.chunks, 1u) << sample.name;
    EXPECT_EQ(reading.refused, 0u) << sample.name;
    EXPECT_EQ(reading.malformed_parameters, 0u) << sample.name;
    EXPECT_FALSE(reading.malformed) << sample.name;
  }
}

TEST(Truncation, AChunkThatEndsBeforeItsLengthIsMalformed) {
  for (const Sample& sample : samples()) {
    const Octets whole = hex(sample.chunk);
    for (std::size_t size = 1; size < whole.span().size(); ++size) {
      const Reading reading = read_packet(packet_of(whole.span().first(size)));
      EXPECT_EQ(reading.chunks, 0u) << sample.name << " cut to " << size;
      EXPECT_TRUE(reading.malformed) << sample.name << " cut to " << size;
    }
  }
}

TEST(Truncation, AChunkCutTogetherWithItsLengthIsNeverReadPastIt) {
  for (const Sample& sample : samples()) {
    const Octets whole = hex(sample.chunk);
    for (std::size_t size = kChunkHeaderSize; size < whole.span().size(); ++size) {
      Octets packet = packet_of(whole.span().first(size));
      base::store_be(packet.span().data() + kCommonHeaderSize + 2, static_cast<std::uint16_t>(size));
      const Reading reading = read_packet(packet);
      EXPECT_EQ(reading.chunks, 1u) << sample.name << " cut to " << size;
      EXPECT_FALSE(reading.malformed) << sample.name << " cut to " << size;
    }
  }
}

TEST(Truncation, NoValueOfAnyByteLeadsPastTheEnd) {
  for (const Sample& sample : samples()) {
    Octets packet = packet_of(hex(sample.chunk));
    for (std::size_t at = kCommonHeaderSize; at < packet.span().size(); ++at) {
      const std::byte original = packet[at];
      for (unsigned value = 0; value < 256; ++value) {
        packet[at] = static_cast<std::byte>(value);
        read_packet(packet);
      }
      packet[at] = original;
    }
    EXPECT_EQ(read_packet(packet).refused, 0u) << sample.name;
  }
}

TEST(Truncation, AllSamplesInOnePacketAreReadOneAfterTheOther) {
  std::vector<std::byte> chunks;
  for (const Sample& sample : samples()) {
    const Octets chunk = hex(sample.chunk);
    chunks.insert(chunks.end(), chunk.span().begin(), chunk.span().end());
    chunks.resize(padded(chunks.size()));
  }
  const Reading reading = read_packet(packet_of(chunks));
  EXPECT_EQ(reading.chunks, samples().size());
  EXPECT_EQ(reading.refused, 0u);
  EXPECT_EQ(reading.unknown, 2u);  // ECNE and CWR
  EXPECT_FALSE(reading.malformed);
}

TEST(Truncation, EveryParameterAndCauseOfTheSamplesIsSeen) {
  // Of the ERROR sample: twelve causes, one quoted host name, two quoted parameters, two quoted addresses.
  for (const Sample& sample : samples()) {
    if (std::string_view(sample.name) == "error") {
      EXPECT_EQ(read_packet(packet_of(hex(sample.chunk))).parameters, 17u);
    }
    if (std::string_view(sample.name) == "init") {
      EXPECT_EQ(read_packet(packet_of(hex(sample.chunk))).parameters, 8u);
    }
  }
}

}  // namespace
}  // namespace sluice::wire::test
