#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "drivers/port.hpp"
#include "stack/base/siphash.hpp"
#include "stack/endpoint/cookie_keys.hpp"
#include "stack/worker/channel.hpp"
#include "stack/worker/config.hpp"
#include "stack/worker/mailbox.hpp"
#include "stack/worker/quota.hpp"
#include "stack/worker/wake_up.hpp"

namespace sluice::worker {

/// The worker that decides what the whole stack has to agree on: endpoints, links, cookie keys.
inline constexpr endpoint::WorkerId kControlWorker{0};

/// The applications that run in the workers' own loops: to the workers all of them are one. The first, since every turn
/// looks at all up to the last.
inline constexpr ApplicationId kInlineApplications{0};

/// A channel on its way to the worker that is to serve it.
struct Attachment {
  ApplicationId application;
  Channel* channel = nullptr;
};

/// What the workers of one stack share. Everything here is fixed once they run, atomic, or a ring between two of them.
struct StackState {
  StackState(const Config& settings, std::vector<drivers::Port*> its_ports, std::uint16_t worker_count,
             base::Random& random);
  StackState(const StackState&) = delete;
  StackState& operator=(const StackState&) = delete;
  ~StackState();

  std::uint16_t workers() const { return static_cast<std::uint16_t>(wake_ups.size()); }
  Mailbox& mailbox(endpoint::WorkerId from, endpoint::WorkerId to) {
    return *mailboxes[std::size_t{from.value} * workers() + to.value];
  }
  /// The worker through whose transmit queue `sender`'s frames for `port` leave: itself, if there are queues enough.
  endpoint::WorkerId transmits_for(endpoint::WorkerId sender, std::uint16_t port) const {
    return endpoint::WorkerId(static_cast<std::uint16_t>(sender.value % ports[port]->info().transmit_queues));
  }

  static constexpr std::size_t kMaxApplications = 256;

  const Config config;
  const std::vector<drivers::Port*> ports;
  base::SipKey tag_key;
  endpoint::CookieKeys cookie_keys;
  std::vector<IpAddress> addresses;
  Quota associations;
  Quota opening_attempts;
  std::vector<std::unique_ptr<WakeUp>> wake_ups;                         ///< one a worker
  std::vector<std::unique_ptr<Mailbox>> mailboxes;                       ///< from × to; none to itself
  std::vector<std::unique_ptr<base::SpscRing<Attachment>>> attachments;  ///< to each worker; one pushes at a time
  std::unique_ptr<std::atomic<std::uint32_t>[]> associations_of;         ///< by worker, to find the least loaded
};

}  // namespace sluice::worker
