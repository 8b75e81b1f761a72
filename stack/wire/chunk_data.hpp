#pragma once

#include <sluice/ids.hpp>

#include "stack/base/serial.hpp"
#include "stack/wire/packet_writer.hpp"

namespace sluice::wire {

/// Bytes of a DATA chunk in front of its user data, the chunk header counted.
inline constexpr std::uint32_t kDataHeaderSize = 16;

/// Flags of a DATA chunk (RFC 9260 §3.3.1).
enum DataFlag : std::uint8_t {
  kDataEnd = 0x01,
  kDataBegin = 0x02,
  kDataUnordered = 0x04,
  kDataImmediate = 0x08,
};

/// A received DATA chunk (RFC 9260 §3.3.1); valid as long as the packet is.
class DataChunk {
 public:
  /// Nothing if `chunk` is not DATA or is shorter than its header. User data may be empty, which is for the caller to
  /// answer with "No User Data" (§6.2).
  static std::optional<DataChunk> parse(const Chunk& chunk) {
    if (chunk.type != ChunkType::data || chunk.bytes.size() < kDataHeaderSize) return std::nullopt;
    return DataChunk(chunk);
  }

  Tsn tsn() const { return Tsn(base::load_be<std::uint32_t>(bytes_.data() + 4)); }
  StreamId stream() const { return StreamId(base::load_be<std::uint16_t>(bytes_.data() + 8)); }
  /// Means nothing if unordered().
  Ssn ssn() const { return Ssn(base::load_be<std::uint16_t>(bytes_.data() + 10)); }
  Ppid ppid() const { return Ppid(base::load_be<std::uint32_t>(bytes_.data() + 12)); }
  bool unordered() const { return (flags_ & kDataUnordered) != 0; }
  bool begin() const { return (flags_ & kDataBegin) != 0; }
  bool end() const { return (flags_ & kDataEnd) != 0; }
  /// The I bit: the peer wants a SACK without delay (RFC 7053).
  bool immediate() const { return (flags_ & kDataImmediate) != 0; }
  /// The user data; its bytes stand in the received packet.
  std::span<const std::byte> payload() const { return bytes_.subspan(kDataHeaderSize); }

 private:
  explicit DataChunk(const Chunk& chunk) : bytes_(chunk.bytes), flags_(chunk.flags) {}

  std::span<const std::byte> bytes_;
  std::uint8_t flags_;
};

/// What stands in front of the user data of a DATA chunk to send.
struct DataHeader {
  Tsn tsn;
  StreamId stream;
  Ssn ssn;
  Ppid ppid;
  std::uint8_t flags = 0;  ///< of DataFlag
};

/// Writes kDataHeaderSize bytes at `at` for a chunk with `payload_length` bytes of user data, at most 65519. The caller
/// writes user data and zero padding behind.
inline void write_data_header(std::byte* at, const DataHeader& header, std::uint16_t payload_length) {
  write_chunk_header(at, ChunkType::data, header.flags, static_cast<std::uint16_t>(kDataHeaderSize + payload_length));
  base::store_be(at + 4, header.tsn.value());
  base::store_be(at + 8, header.stream.value);
  base::store_be(at + 10, header.ssn.value());
  base::store_be(at + 12, header.ppid.value);
}

/// Adds a DATA chunk to `packet` and returns where its `payload_length` bytes of user data go, which the caller writes;
/// padding is written. Null if it does not fit; nothing was added.
inline std::byte* append_data(PacketWriter& packet, const DataHeader& header, std::uint16_t payload_length) {
  std::byte* const at = packet.append(kDataHeaderSize + payload_length);
  if (at == nullptr) return nullptr;
  write_data_header(at, header, payload_length);
  return at + kDataHeaderSize;
}

}  // namespace sluice::wire
