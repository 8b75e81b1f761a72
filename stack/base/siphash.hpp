#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace sluice::base {

/// A 128-bit secret for SipHash, drawn from Random::fill().
struct SipKey {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;
};

/// SipHash-2-4 (Aumasson, Bernstein 2012): a keyed hash of short inputs. With a secret key an outsider can neither
/// forge a value nor choose inputs that collide, so hash tables whose keys come from the wire use it, and what must be
/// a MAC uses its 128-bit form. Never allocates. Feed whole 64-bit words with add(), or bytes through siphash().
class SipHash {
 public:
  enum class Width : std::uint8_t { bits64, bits128 };

  explicit SipHash(const SipKey& key, Width width = Width::bits64)
      : v0_(key.k0 ^ 0x736f6d6570736575),
        v1_(key.k1 ^ 0x646f72616e646f6d ^ (width == Width::bits128 ? 0xee : 0)),
        v2_(key.k0 ^ 0x6c7967656e657261),
        v3_(key.k1 ^ 0x7465646279746573) {}

  /// The next eight bytes of the input, read as a little-endian number.
  void add(std::uint64_t word) {
    v3_ ^= word;
    round();
    round();
    v0_ ^= word;
    length_ += 8;
  }
  /// The hash of what was added and of a last `size` (0 to 7) bytes, which stand in `tail` in little-endian order.
  std::uint64_t finish(std::uint64_t tail = 0, std::size_t size = 0) {
    close(tail, size);
    v2_ ^= 0xff;
    return finalize();
  }
  /// As finish(), 128 bits, for a hash made with Width::bits128.
  struct Digest128 {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    friend bool operator==(const Digest128&, const Digest128&) = default;
  };
  Digest128 finish128(std::uint64_t tail = 0, std::size_t size = 0) {
    close(tail, size);
    Digest128 digest;
    v2_ ^= 0xee;
    digest.low = finalize();
    v1_ ^= 0xdd;
    digest.high = finalize();
    return digest;
  }

 private:
  void round() {
    v0_ += v1_;
    v2_ += v3_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v1_;
    v0_ += v3_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ = std::rotl(v2_, 32);
  }
  void close(std::uint64_t tail, std::size_t size) {
    const std::uint64_t word = std::uint64_t{(length_ + size) & 0xff} << 56 | tail;
    v3_ ^= word;
    round();
    round();
    v0_ ^= word;
  }
  std::uint64_t finalize() {
    for (int i = 0; i < 4; ++i) round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

  std::uint64_t v0_;
  std::uint64_t v1_;
  std::uint64_t v2_;
  std::uint64_t v3_;
  std::size_t length_ = 0;
};

namespace detail {
/// Adds all whole words of `bytes`; the rest, fewer than eight bytes, is returned as finish() wants it.
inline std::uint64_t add_bytes(SipHash& hash, std::span<const std::byte> bytes) {
  while (bytes.size() >= 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    hash.add(word);
    bytes = bytes.subspan(8);
  }
  std::uint64_t tail = 0;
  if (!bytes.empty()) std::memcpy(&tail, bytes.data(), bytes.size());
  return tail;
}
}  // namespace detail

/// SipHash-2-4 of `bytes`, 64 bits.
inline std::uint64_t siphash(const SipKey& key, std::span<const std::byte> bytes) {
  SipHash hash(key);
  const std::uint64_t tail = detail::add_bytes(hash, bytes);
  return hash.finish(tail, bytes.size() % 8);
}

/// SipHash-2-4 of `bytes`, 128 bits.
inline SipHash::Digest128 siphash128(const SipKey& key, std::span<const std::byte> bytes) {
  SipHash hash(key, SipHash::Width::bits128);
  const std::uint64_t tail = detail::add_bytes(hash, bytes);
  return hash.finish128(tail, bytes.size() % 8);
}

}  // namespace sluice::base
