#pragma once

#include <compare>
#include <cstdint>

namespace sluice {

/// A number that means one thing: two different `Tag`s never mix, compare or convert by accident.
template <class Tag, class Value>
struct Strong {
  Value value{};
  constexpr Strong() = default;
  constexpr explicit Strong(Value v) : value(v) {}
  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;  // NOLINT(modernize-use-nullptr)
};

/// Stream identifier, 0 to 65535, counted per direction (RFC 9260 §3.3.1).
using StreamId = Strong<struct StreamIdTag, std::uint16_t>;
/// Payload protocol identifier in host byte order; 0 means unspecified (RFC 9260 §3.3.1).
using Ppid = Strong<struct PpidTag, std::uint32_t>;
/// Verification tag; 0 only stands in a packet that carries INIT (RFC 9260 §8.5).
using VTag = Strong<struct VTagTag, std::uint32_t>;
/// Names one association of one stack for its whole life, and is not used again for another.
/// 0 names none. Opaque: the stack derives the owning worker from it.
using AssocId = Strong<struct AssocIdTag, std::uint64_t>;
/// Names one endpoint of one stack; 0 names none.
using EndpointId = Strong<struct EndpointIdTag, std::uint32_t>;
/// Index of a path of an association, in the order in which the paths were added.
using PathId = Strong<struct PathIdTag, std::uint8_t>;

}  // namespace sluice
