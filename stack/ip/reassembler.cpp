#include "stack/ip/reassembler.hpp"

#include <algorithm>
#include <cstring>

#include "stack/ip/hash.hpp"
#include "stack/ip/ipv4.hpp"

namespace sluice::ip {
namespace {

constexpr std::uint8_t kEcnMask = 3;

std::uint8_t ecn_bit(base::Ecn ecn) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(ecn));
}

bool fragment_sound(const Datagram& header, std::size_t length) {
  const Fragment& fragment = *header.fragment;
  // An IPv4 datagram counts its header in its length.
  const std::uint32_t most = Reassembler::kMostBytes - (header.source.is_v4() ? kIpv4HeaderLength : 0);
  return length > 0 && fragment.offset + length <= most && (!fragment.more || length % 8 == 0);
}

// Units [first, end): calls visit(word index, mask of the bits in it) until it says false.
template <class Visit>
bool for_words(std::uint32_t first, std::uint32_t end, Visit&& visit) {
  while (first < end) {
    const std::uint32_t stop = std::min(end, (first | 63) + 1);
    const std::uint64_t mask = (~std::uint64_t{0} >> (64 - (stop - first))) << (first & 63);
    if (!visit(first / 64, mask)) return false;
    first = stop;
  }
  return true;
}

}  // namespace

Reassembler::Reassembler(const Limits& limits, base::BufferSource& blocks, Counters& counters, std::uint64_t seed)
    : limits_(limits),
      blocks_(blocks),
      counters_(counters),
      seed_(seed),
      contexts_(limits.reassembly_contexts),
      hashes_(limits.reassembly_contexts, 0) {
  for (Context& context : contexts_) free_.push_back(context);
}

std::optional<Reassembler::Joined> Reassembler::add(const Datagram& header, std::span<const std::byte> payload,
                                                    Timestamp now) {
  ++counters_.rx_fragments;
  if (!fragment_sound(header, payload.size())) {
    ++counters_.drop_fragment_malformed;
    return std::nullopt;
  }
  const std::uint64_t key = hash(header);
  Context* context = find(header, key);
  if (context == nullptr) context = open(header, key, now);
  if (context == nullptr) return std::nullopt;
  if (!context->block) {
    ++counters_.drop_fragment_overlap;
    return std::nullopt;
  }
  if (context->fragments == limits_.reassembly_fragments) {
    ++counters_.drop_fragment_too_many;
    poison(*context);
    return std::nullopt;
  }
  if (!store(*context, *header.fragment, payload)) return std::nullopt;
  context->ecn_seen |= ecn_bit(static_cast<base::Ecn>(header.traffic_class & kEcnMask));
  if (header.fragment->offset == 0) context->first = header;
  if (context->total == 0 || context->received < context->total) return std::nullopt;
  return finish(*context);
}

// Copies the fragment to its place. False: it is dropped, and perhaps the datagram with it.
bool Reassembler::store(Context& context, const Fragment& fragment, std::span<const std::byte> payload) {
  const auto length = static_cast<std::uint32_t>(payload.size());
  const std::uint32_t end = fragment.offset + length;
  const std::uint32_t first_unit = fragment.offset / kUnit;
  const std::uint32_t end_unit = (end + kUnit - 1) / kUnit;
  std::byte* const place = context.block.data() + fragment.offset;
  const bool whole_is_here = for_words(first_unit, end_unit, [&](std::uint32_t word, std::uint64_t mask) {
    return (context.here[word] & mask) == mask;
  });
  if (whole_is_here && end <= context.furthest && std::memcmp(place, payload.data(), length) == 0) {
    ++context.fragments;
    ++counters_.drop_fragment_duplicate;
    return false;
  }
  const bool nothing_is_here = for_words(
      first_unit, end_unit, [&](std::uint32_t word, std::uint64_t mask) { return (context.here[word] & mask) == 0; });
  // A last fragment that is not the end, or a second end, contradicts like an overlap.
  const bool end_fits =
      fragment.more ? context.total == 0 || end < context.total : context.total == 0 && end > context.furthest;
  if (!nothing_is_here || !end_fits) {
    ++counters_.drop_fragment_overlap;
    poison(context);
    return false;
  }
  std::memcpy(place, payload.data(), length);
  for_words(first_unit, end_unit, [&](std::uint32_t word, std::uint64_t mask) {
    context.here[word] |= mask;
    return true;
  });
  if (!fragment.more) context.total = end;
  context.furthest = std::max(context.furthest, end);
  context.received += length;
  ++context.fragments;
  return true;
}

// The marks of the fragments become one (RFC 3168 §5.3).
std::optional<Reassembler::Joined> Reassembler::finish(Context& context) {
  Joined joined{context.first, std::move(context.block)};
  const std::uint8_t seen = context.ecn_seen;
  const std::uint32_t total = context.total;
  bytes_ -= joined.payload.block().capacity;
  close(context);
  const bool congested = (seen & ecn_bit(base::Ecn::ce)) != 0;
  if (congested && (seen & ecn_bit(base::Ecn::not_ect)) != 0) {
    ++counters_.drop_fragment_ecn;
    return std::nullopt;
  }
  if (congested) joined.header.traffic_class |= static_cast<std::uint8_t>(base::Ecn::ce);
  joined.payload.append(total);
  joined.payload.block().frame = {};
  joined.header.fragment.reset();
  joined.header.payload_offset = 0;
  joined.header.payload_length = total;
  ++counters_.rx_reassembled;
  return joined;
}

// What makes a datagram one: RFC 791 counts the protocol, RFC 8200 §4.5 does not. Never 0.
std::uint64_t Reassembler::hash(const Datagram& header) const {
  const std::uint64_t protocol = header.source.is_v4() ? header.protocol : 0;
  const std::uint64_t salt = std::uint64_t{header.fragment->id} << 8 | protocol;
  return hash_address(header.destination, salt, hash_address(header.source, 0, seed_)) | 1;
}

Reassembler::Context* Reassembler::find(const Datagram& header, std::uint64_t hash) {
  for (std::size_t i = 0; i < hashes_.size(); ++i) {
    if (hashes_[i] != hash) continue;
    Context& context = contexts_[i];
    const bool protocol_fits = header.source.is_v6() || context.first.protocol == header.protocol;
    if (context.id == header.fragment->id && context.first.source == header.source &&
        context.first.destination == header.destination && protocol_fits)
      return &context;
  }
  return nullptr;
}

Reassembler::Context* Reassembler::open(const Datagram& header, std::uint64_t hash, Timestamp now) {
  const auto evict = [this] {
    ++counters_.drop_reassembly_evicted;
    close(*active_.front());
  };
  if (free_.empty()) evict();
  base::Buffer block = blocks_.allocate(0, kMostBytes);
  if (!block && !active_.empty()) {
    evict();
    block = blocks_.allocate(0, kMostBytes);
  }
  if (!block) {
    ++counters_.drop_fragment_no_memory;
    return nullptr;
  }
  const std::uint32_t capacity = block.block().capacity;
  while (bytes_ + capacity > limits_.reassembly_bytes && !active_.empty()) evict();
  if (bytes_ + capacity > limits_.reassembly_bytes) {
    ++counters_.drop_fragment_no_memory;
    return nullptr;
  }
  bytes_ += capacity;
  Context& context = *free_.pop_front();
  active_.push_back(context);
  hashes_[static_cast<std::size_t>(&context - contexts_.data())] = hash;
  context.first = header;
  context.id = header.fragment->id;
  context.block = std::move(block);
  context.deadline = now + limits_.reassembly_time;
  context.total = context.furthest = context.received = context.fragments = 0;
  context.ecn_seen = 0;
  context.here.fill(0);
  return &context;
}

void Reassembler::close(Context& context) {
  poison(context);
  hashes_[static_cast<std::size_t>(&context - contexts_.data())] = 0;
  active_.erase(context);
  free_.push_back(context);
}

// Gives the memory back, and keeps the name, so that later fragments of the same datagram are known.
void Reassembler::poison(Context& context) {
  if (!context.block) return;
  bytes_ -= context.block.block().capacity;
  context.block.reset();
}

void Reassembler::expire(Timestamp now) {
  while (Context* const oldest = active_.front()) {
    if (oldest->deadline > now) return;
    if (oldest->block) ++counters_.drop_reassembly_expired;
    close(*oldest);
  }
}

Timestamp Reassembler::next_deadline() const {
  return active_.empty() ? kNever : active_.front()->deadline;
}

}  // namespace sluice::ip
