// What comes in a COOKIE ECHO, and every packet that bears no tag of ours: the first byte chooses. The second kind
// seals hostile bytes with the right key, so that decoding them is reached, which no peer can do.
#include <cstring>
#include <memory>
#include <vector>

#include "stack/base/heap_buffers.hpp"
#include "stack/base/seeded_random.hpp"
#include "stack/endpoint/init_answer.hpp"
#include "stack/endpoint/owner_role.hpp"
#include "stack/endpoint/responder.hpp"
#include "stack/wire/chunk_cookie.hpp"

namespace {

using namespace sluice;            // NOLINT
using namespace sluice::endpoint;  // NOLINT
using Bytes = std::span<const std::byte>;

constexpr std::uint16_t kPort = 0x0b59;
constexpr Timestamp kNow{std::chrono::hours(1)};

/// Checks every answer and lets it go.
class CheckingHost final : public assoc::Host {
 public:
  base::Buffer allocate_packet(std::uint32_t bytes, std::uint16_t /*port*/) noexcept override {
    return buffers.allocate(base::kLowerHeadroom, bytes);
  }
  void transmit(base::OutboundPacket&& packet) noexcept override {
    ++sent;
    const Bytes bytes = packet.buffer.bytes();
    const auto first = wire::first_chunk_type(bytes);
    SLUICE_CHECK(first && wire::is_well_formed(bytes.subspan(wire::kCommonHeaderSize)));
    if (*first == wire::ChunkType::init_ack)
      SLUICE_CHECK(bytes.size() <= kMaxInitAckPacket);
    else
      SLUICE_CHECK(bytes.size() <= received);
  }
  bool deliver(const Event&, base::Buffer&) noexcept override { return true; }

  base::HeapBuffers buffers;
  std::size_t received = 0;
  int sent = 0;
};

CookieKeys fixed_keys() {
  CookieKeys keys;
  keys.current = {.number = 3, .secret = {1, 2}};
  keys.previous = {.number = 2, .secret = {3, 4}};
  keys.has_previous = true;
  return keys;
}

/// One that listens; made once, since making it is what takes the time.
EndpointTable& shared_endpoints() {
  static EndpointTable endpoints(4);
  if (endpoints.size() == 0) {
    Endpoint endpoint;
    endpoint.id = EndpointId(1);
    endpoint.port = kPort;
    endpoint.listening = true;
    endpoints.add(endpoint);
  }
  return endpoints;
}

/// One worker, both roles.
struct Worker {
  CheckingHost host;
  base::SeededRandom random{1};
  Steering steering{base::SipKey{1, 2}, 2};
  EndpointTable& endpoints = shared_endpoints();
  CookieSealer cookies{fixed_keys()};
  RateLimit inits{1000000, 1000000};
  RateLimit forged_cookies{1000000, 1000000};
  RateLimit answers{1000, 1000};
  Counters counters;
  std::vector<IpAddress> addresses{IpAddress::v4(0xc6120001), IpAddress::parse("2001:db8::1").value()};
  Services services{.self = WorkerId(0),
                    .host = host,
                    .random = random,
                    .steering = steering,
                    .endpoints = endpoints,
                    .cookies = cookies,
                    .inits = inits,
                    .forged = forged_cookies,
                    .answers = answers,
                    .counters = counters,
                    .stack_addresses = addresses};
  Directory directory{base::SipKey{3, 4}, {.addresses = 32, .leases = 4}};
  Responder responder{services, directory};
  TagTable tags{{.associations = 4, .retired = 4}};
  OwnerRole owner{services, tags};
};

base::InboundPacket inbound(Worker& worker, Bytes bytes) {
  base::InboundPacket packet;
  packet.arrival.source = IpAddress::v4(0xc6120002);
  packet.arrival.destination = worker.addresses[0];
  packet.buffer = worker.host.buffers.copy_of(bytes);
  worker.host.received = bytes.size();
  return packet;
}

/// Through the directory, and through the owner of an association between the packet's ports in every state.
void receive(Bytes bytes) {
  Worker worker;
  const auto header = wire::CommonHeader::parse(bytes);
  static_cast<void>(worker.steering.classify(bytes));
  if (!header) return;
  const base::InboundPacket packet = inbound(worker, bytes);
  CreateOrder order;
  const Verdict verdict = worker.responder.receive(kNow, packet, WorkerId(1), order);
  SLUICE_CHECK(worker.host.sent <= 1);
  SLUICE_CHECK((verdict.next == Verdict::Next::create) == (worker.directory.size() > 0));
  for (int state = 0; state <= static_cast<int>(assoc::State::shutdown_ack_sent); ++state) {
    Tcb tcb;
    tcb.state = static_cast<assoc::State>(state);
    tcb.handshake.local_port = header->destination_port;
    tcb.handshake.peer_port = header->source_port;
    tcb.handshake.local_tag = header->tag;
    tcb.handshake.local_addresses = {worker.addresses[0]};
    tcb.handshake.peer_addresses = tcb.confirmed = {packet.arrival.source};
    worker.host.sent = 0;
    worker.owner.receive(kNow, tcb, Parameters{}, packet);
    SLUICE_CHECK(worker.host.sent <= 1);
  }
}

/// As received: it is not ours.
void open_foreign(Bytes bytes) {
  const auto exact = std::make_unique<std::byte[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), exact.get());
  const CookieSealer sealer(fixed_keys());
  const OpenedCookie opened = sealer.open({exact.get(), bytes.size()}, kNow);
  SLUICE_CHECK(opened.verdict != CookieVerdict::good && opened.verdict != CookieVerdict::stale);
}

/// With our version, key number and MAC about it. What opens is what was sealed, to the byte.
void open_sealed(Bytes bytes) {
  constexpr std::size_t kMacSize = 16;
  const std::size_t size = 2 + bytes.size() + kMacSize;
  const auto exact = std::make_unique<std::byte[]>(size);
  exact[0] = std::byte{1};
  exact[1] = std::byte{3};
  std::copy(bytes.begin(), bytes.end(), exact.get() + 2);
  const auto mac = base::siphash128(fixed_keys().current.secret, {exact.get(), size - kMacSize});
  std::memcpy(exact.get() + size - kMacSize, &mac.low, 8);
  std::memcpy(exact.get() + size - 8, &mac.high, 8);
  const CookieSealer sealer(fixed_keys());
  const OpenedCookie opened = sealer.open({exact.get(), size}, kNow);
  if (opened.verdict != CookieVerdict::good && opened.verdict != CookieVerdict::stale) return;
  std::byte again[kMaxCookieSize];
  SLUICE_CHECK(sealer.seal(opened.cookie, again) == size);
  SLUICE_CHECK(std::memcmp(again, exact.get(), size) == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 9000) return 0;
  const Bytes bytes = std::as_bytes(std::span(data + 1, size - 1));
  switch (data[0] % 3) {
    case 0:
      receive(bytes);
      break;
    case 1:
      open_foreign(bytes);
      break;
    default:
      open_sealed(bytes);
  }
  return 0;
}
