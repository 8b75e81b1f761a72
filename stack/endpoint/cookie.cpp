#include "stack/endpoint/cookie.hpp"

#include <algorithm>
#include <cstring>

#include "stack/base/check.hpp"
#include "stack/base/endian.hpp"
#include "stack/base/siphash.hpp"

namespace sluice::endpoint {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint32_t kMacSize = 16;
constexpr std::uint32_t kFixedSize = 56;  // everything in front of the addresses
constexpr std::uint8_t kFlagForwardTsn = 1;
constexpr std::uint8_t kFlagEcn = 2;
constexpr std::uint8_t kFlagZeroChecksum = 4;
constexpr std::uint8_t kKnownFlags = kFlagForwardTsn | kFlagEcn | kFlagZeroChecksum;
static_assert(kMaxCookieSize == kFixedSize + 2 * assoc::kMaxAddresses * 16 + kMacSize);
static_assert(assoc::kMaxAddresses < 16, "a count of addresses takes four bits");

// Appends numbers to memory that is known to be large enough.
class Writer {
 public:
  explicit Writer(std::byte* at) : at_(at) {}
  template <class Value>
  void put(Value value) {
    base::store_be(at_, value);
    at_ += sizeof value;
  }
  void put(const IpAddress& address) {
    const auto& bytes = address.bytes();
    const std::size_t skip = address.is_v4() ? 12 : 0;
    std::memcpy(at_, bytes.data() + skip, bytes.size() - skip);
    at_ += bytes.size() - skip;
  }
  std::byte* at() const { return at_; }

 private:
  std::byte* at_;
};

// Takes numbers from bytes whose number was checked for the fixed part, and address by address after it.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : rest_(bytes) {}
  template <class Value>
  Value take() {
    const auto value = base::load_be<Value>(rest_.data());
    rest_ = rest_.subspan(sizeof value);
    return value;
  }
  bool take(IpAddress& address, bool v6) {
    const std::size_t size = v6 ? 16 : 4;
    if (rest_.size() < size) return false;
    if (v6) {
      IpAddress::Bytes bytes;
      std::memcpy(bytes.data(), rest_.data(), size);
      address = IpAddress::v6(bytes);
    } else {
      address = IpAddress::v4(base::load_be<std::uint32_t>(rest_.data()));
    }
    rest_ = rest_.subspan(size);
    return address.is_v6() == v6;  // one form for each address
  }
  bool empty() const { return rest_.empty(); }

 private:
  std::span<const std::byte> rest_;
};

std::uint8_t flags_of(const assoc::Extensions& extensions) {
  return static_cast<std::uint8_t>((extensions.forward_tsn ? kFlagForwardTsn : 0) | (extensions.ecn ? kFlagEcn : 0) |
                                   (extensions.zero_checksum ? kFlagZeroChecksum : 0));
}

void write_fixed(Writer& out, const Cookie& cookie, std::uint8_t key_number) {
  const assoc::Handshake& agreed = cookie.handshake;
  out.put(kVersion);
  out.put(key_number);
  out.put(flags_of(agreed.extensions));
  out.put(static_cast<std::uint8_t>(agreed.local_addresses.size() << 4 | agreed.peer_addresses.size()));
  out.put(static_cast<std::uint64_t>(cookie.created.time_since_epoch().count()));
  out.put(static_cast<std::uint32_t>(std::clamp<std::int64_t>(cookie.lifetime.count(), 0, UINT32_MAX)));
  out.put(agreed.local_port);
  out.put(agreed.peer_port);
  out.put(agreed.local_tag.value);
  out.put(agreed.peer_tag.value);
  out.put(agreed.local_initial_tsn.value());
  out.put(agreed.peer_initial_tsn.value());
  out.put(agreed.peer_window);
  out.put(agreed.outbound_streams);
  out.put(agreed.inbound_streams);
  out.put(cookie.tie_tags.local);
  out.put(cookie.tie_tags.peer);
  out.put(cookie.udp_port);
}

// Bit i: the i-th address, ours first, is IPv6.
std::uint16_t families_of(const assoc::Handshake& agreed) {
  std::uint16_t families = 0;
  std::uint32_t i = 0;
  for (const IpAddress& address : agreed.local_addresses)
    families |= static_cast<std::uint16_t>(address.is_v6() << i++);
  for (const IpAddress& address : agreed.peer_addresses) families |= static_cast<std::uint16_t>(address.is_v6() << i++);
  return families;
}

bool read_addresses(Reader& in, std::uint32_t count, std::uint16_t& families, assoc::AddressList& list) {
  for (std::uint32_t i = 0; i < count; ++i, families >>= 1) {
    IpAddress address;
    if (!in.take(address, (families & 1) != 0) || !list.push_back(address)) return false;
  }
  return true;
}

// The part of a cookie behind version and key number, in front of the MAC. False if it does not add up.
bool read(Reader& in, Cookie& cookie) {
  assoc::Handshake& agreed = cookie.handshake;
  const auto flags = in.take<std::uint8_t>();
  const auto counts = in.take<std::uint8_t>();
  cookie.created = Timestamp(Duration(static_cast<std::int64_t>(in.take<std::uint64_t>())));
  cookie.lifetime = std::chrono::milliseconds(in.take<std::uint32_t>());
  agreed.local_port = in.take<std::uint16_t>();
  agreed.peer_port = in.take<std::uint16_t>();
  agreed.local_tag = VTag(in.take<std::uint32_t>());
  agreed.peer_tag = VTag(in.take<std::uint32_t>());
  agreed.local_initial_tsn = Tsn(in.take<std::uint32_t>());
  agreed.peer_initial_tsn = Tsn(in.take<std::uint32_t>());
  agreed.peer_window = in.take<std::uint32_t>();
  agreed.outbound_streams = in.take<std::uint16_t>();
  agreed.inbound_streams = in.take<std::uint16_t>();
  cookie.tie_tags.local = in.take<std::uint32_t>();
  cookie.tie_tags.peer = in.take<std::uint32_t>();
  cookie.udp_port = in.take<std::uint16_t>();
  agreed.extensions = {.forward_tsn = (flags & kFlagForwardTsn) != 0,
                       .ecn = (flags & kFlagEcn) != 0,
                       .zero_checksum = (flags & kFlagZeroChecksum) != 0};
  auto families = in.take<std::uint16_t>();
  // No clock of ours was ever before its own beginning, and an age counted from there would not fit.
  return cookie.created >= Timestamp{} && (flags & ~kKnownFlags) == 0 &&
         read_addresses(in, counts >> 4, families, agreed.local_addresses) &&
         read_addresses(in, counts & 0xf, families, agreed.peer_addresses) && families == 0 && in.empty();
}

// Equal, in a time that does not tell where they differ.
bool same_mac(const base::SipHash::Digest128& mac, const std::byte* received) {
  std::uint64_t low;
  std::uint64_t high;
  std::memcpy(&low, received, sizeof low);
  std::memcpy(&high, received + sizeof low, sizeof high);
  return ((mac.low ^ low) | (mac.high ^ high)) == 0;
}

}  // namespace

std::uint32_t CookieSealer::seal(const Cookie& cookie, std::span<std::byte> out) const {
  SLUICE_CHECK(out.size() >= kMaxCookieSize);
  Writer writer(out.data());
  write_fixed(writer, cookie, keys_.current.number);
  writer.put(families_of(cookie.handshake));
  for (const IpAddress& address : cookie.handshake.local_addresses) writer.put(address);
  for (const IpAddress& address : cookie.handshake.peer_addresses) writer.put(address);
  const auto length = static_cast<std::uint32_t>(writer.at() - out.data());
  const base::SipHash::Digest128 mac = base::siphash128(keys_.current.secret, out.first(length));
  std::memcpy(writer.at(), &mac.low, sizeof mac.low);
  std::memcpy(writer.at() + sizeof mac.low, &mac.high, sizeof mac.high);
  return length + kMacSize;
}

const CookieKeys::Key* CookieSealer::key(std::uint8_t number) const {
  if (number == keys_.current.number) return &keys_.current;
  return keys_.has_previous && number == keys_.previous.number ? &keys_.previous : nullptr;
}

CookieVerdict CookieSealer::check(std::span<const std::byte> bytes) const {
  if (bytes.size() < kFixedSize + kMacSize || bytes.size() > kMaxCookieSize) return CookieVerdict::malformed;
  if (static_cast<std::uint8_t>(bytes[0]) != kVersion) return CookieVerdict::malformed;
  const CookieKeys::Key* const used = key(static_cast<std::uint8_t>(bytes[1]));
  if (used == nullptr) return CookieVerdict::unknown_key;
  const std::span<const std::byte> sealed = bytes.first(bytes.size() - kMacSize);
  const bool same = same_mac(base::siphash128(used->secret, sealed), sealed.data() + sealed.size());
  return same ? CookieVerdict::good : CookieVerdict::bad_mac;
}

OpenedCookie CookieSealer::open(std::span<const std::byte> bytes, Timestamp now) const {
  OpenedCookie opened;
  opened.verdict = check(bytes);
  if (opened.verdict != CookieVerdict::good) return opened;
  opened.verdict = CookieVerdict::malformed;
  Reader reader(bytes.first(bytes.size() - kMacSize).subspan(2));
  if (!read(reader, opened.cookie)) return opened;
  // Workers read their clocks once a turn: one that was made "later" is simply new.
  const Duration age = std::max(now - opened.cookie.created, Duration::zero());
  if (age <= opened.cookie.lifetime) {
    opened.verdict = CookieVerdict::good;
  } else {
    opened.verdict = CookieVerdict::stale;
    opened.staleness = std::chrono::ceil<std::chrono::microseconds>(age - opened.cookie.lifetime);
  }
  return opened;
}

}  // namespace sluice::endpoint
