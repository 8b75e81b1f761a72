#pragma once

#include <sluice/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stack/base/arrival.hpp"
#include "stack/base/buffer.hpp"
#include "stack/base/intrusive_list.hpp"
#include "stack/ip/config.hpp"
#include "stack/ip/counters.hpp"
#include "stack/ip/datagram.hpp"

namespace sluice::ip {

/// Joins the fragments of IPv4 and IPv6 datagrams (RFC 791 §3.2, RFC 8200 §4.5). Fragments are copied into one block as
/// they come, so none of them pins a receive buffer. A datagram with overlapping fragments is dropped whole, with what
/// still comes of it (RFC 5722; the same for IPv4), but repeated bytes that are equal are only ignored: networks
/// duplicate. Too many datagrams at once: the oldest gives way, for an honest one is whole within milliseconds.
class Reassembler {
 public:
  /// A joined datagram: `header` is that of its first fragment, its fragment nothing, its payload from offset 0 in
  /// `payload`.
  struct Joined {
    Datagram header;
    base::Buffer payload;
  };

  /// The longest payload that can be joined, and the room asked of `blocks` for each datagram.
  static constexpr std::uint32_t kMostBytes = 65535;

  /// `seed` keys the look-up. The references outlive the reassembler.
  Reassembler(const Limits& limits, base::BufferSource& blocks, Counters& counters, std::uint64_t seed);

  /// Takes the fragment that `header` describes, with its payload. What is joined comes back with its last fragment.
  std::optional<Joined> add(const Datagram& header, std::span<const std::byte> payload, Timestamp now);

  /// Forgets datagrams whose time is over.
  void expire(Timestamp now);
  Timestamp next_deadline() const;
  /// Datagrams being joined, or remembered to be dropped.
  std::size_t contexts() const { return active_.size(); }

 private:
  static constexpr std::uint32_t kUnit = 8;  // fragment offsets count in these
  static constexpr std::uint32_t kUnits = 65536 / kUnit;

  struct Context : base::ListHook<> {
    Datagram first;  // the key, and what is known of the first fragment
    std::uint32_t id = 0;
    base::Buffer block;  // empty: poisoned, its fragments are dropped until it expires
    Timestamp deadline;
    std::uint32_t total = 0;     // bytes of the whole; 0: the last fragment is not here yet
    std::uint32_t furthest = 0;  // the end of the fragment that reaches furthest
    std::uint32_t received = 0;  // bytes
    std::uint32_t fragments = 0;
    std::uint8_t ecn_seen = 0;                      // one bit for each of the four code points
    std::array<std::uint64_t, kUnits / 64> here{};  // one bit for each unit
  };

  std::uint64_t hash(const Datagram& header) const;
  Context* find(const Datagram& header, std::uint64_t hash);
  Context* open(const Datagram& header, std::uint64_t hash, Timestamp now);
  void close(Context& context);
  void poison(Context& context);
  bool store(Context& context, const Fragment& fragment, std::span<const std::byte> payload);
  std::optional<Joined> finish(Context& context);

  const Limits limits_;
  base::BufferSource& blocks_;
  Counters& counters_;
  const std::uint64_t seed_;
  std::uint64_t bytes_ = 0;            // capacity of all blocks held
  std::vector<Context> contexts_;      // fixed at construction
  std::vector<std::uint64_t> hashes_;  // of contexts_, by index; 0: free
  base::IntrusiveList<Context> free_;
  base::IntrusiveList<Context> active_;  // oldest first
};

}  // namespace sluice::ip
