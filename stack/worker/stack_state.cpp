#include "stack/worker/stack_state.hpp"

#include <array>

namespace sluice::worker {
namespace {

void let_go(Mailbox& mailbox) {
  std::array<PacketRecord, 16> packets;
  while (const std::size_t n = mailbox.packets.pop(packets))
    for (std::size_t i = 0; i < n; ++i) base::Buffer::adopt(*packets[i].block).reset();
  std::array<base::Block*, 16> frames;
  for (const auto& ring : mailbox.frames)
    while (const std::size_t n = ring->blocks.pop(frames))
      for (std::size_t i = 0; i < n; ++i) base::Buffer::adopt(*frames[i]).reset();
  std::array<ControlMessage, 4> messages;
  while (const std::size_t n = mailbox.control.pop(messages))
    for (std::size_t i = 0; i < n; ++i)
      if (const auto* const create = std::get_if<CreateMessage>(&messages[i]))
        base::Buffer::adopt(*create->block).reset();
}

}  // namespace

StackState::StackState(const Config& settings, std::vector<drivers::Port*> its_ports, std::uint16_t worker_count,
                       base::Random& random)
    : config(settings),
      ports(std::move(its_ports)),
      tag_key{random.u64(), random.u64()},
      cookie_keys(endpoint::CookieKeys::first(random)),
      associations(settings.limits.associations),
      opening_attempts(settings.limits.opening_attempts),
      associations_of(std::make_unique<std::atomic<std::uint32_t>[]>(worker_count)) {
  for (const ip::Interface& interface : config.ip.interfaces)
    for (const ip::Prefix& prefix : interface.addresses) addresses.push_back(prefix.address);
  for (std::uint16_t i = 0; i < worker_count; ++i) {
    wake_ups.push_back(std::make_unique<WakeUp>());
    attachments.push_back(std::make_unique<base::SpscRing<Attachment>>(kMaxApplications));
  }
  for (std::uint16_t from = 0; from < worker_count; ++from)
    for (std::uint16_t to = 0; to < worker_count; ++to)
      mailboxes.push_back(from == to ? nullptr : std::make_unique<Mailbox>(config.limits.forwarded_packets));
  for (std::uint16_t from = 0; from < worker_count; ++from)
    for (std::uint16_t port = 0; port < ports.size(); ++port) {
      const endpoint::WorkerId sender(from), through = transmits_for(sender, port);
      if (through == sender) continue;
      mailbox(sender, through).frames.push_back(std::make_unique<FrameRing>(port, config.limits.forwarded_packets));
    }
}

StackState::~StackState() {
  for (const auto& mailbox : mailboxes)
    if (mailbox != nullptr) let_go(*mailbox);
}

}  // namespace sluice::worker
