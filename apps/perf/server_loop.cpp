#include "apps/perf/server_loop.hpp"

#include "apps/common/reason_text.hpp"
#include "apps/perf/meter.hpp"

namespace sluice::apps {

bool ServerLoop::turn() {
  const std::size_t n = application_.poll(events_);
  if (n == 0) return false;
  const std::uint64_t arrived = now_nanoseconds();
  bool messages = false;
  for (std::size_t i = 0; i < n; ++i) {
    const Event& event = events_[i];
    if (event.type != EventType::message) {
      on_event(event);
      application_.release(std::span(&event, 1));  // an ABORT's reason is lent too
      continue;
    }
    messages = true;
    Peer* const peer = find(event.association);
    if (peer == nullptr || !on_message(*peer, event)) application_.release(std::span(&event, 1));
  }
  if (messages) {
    totals_.active.note(arrived);
    totals_.active.note(now_nanoseconds());
  }
  return true;
}

ServerLoop::Peer* ServerLoop::find(AssocId association) {
  if (association.value == latest_id_) return latest_;
  const auto found = peers_.find(association.value);
  if (found == peers_.end()) return nullptr;
  latest_id_ = association.value;
  latest_ = &found->second;
  return latest_;
}

void ServerLoop::on_event(const Event& event) {
  switch (event.type) {
    case EventType::association_up:
      peers_.try_emplace(event.association.value);
      ++totals_.associations;
      ++totals_.established;
      break;
    case EventType::association_lost:
    case EventType::closed:
      on_end(event);
      break;
    case EventType::restarted:
      on_restart(event);
      break;
    case EventType::send_failed:
      totals_.echo_failures.add(event);
      break;
    case EventType::writable:
      if (Peer* const peer = find(event.association)) send_waiting(event.association, *peer);
      break;
    default:
      break;
  }
}

void ServerLoop::on_end(const Event& event) {
  Peer* const peer = find(event.association);
  if (peer == nullptr) return;
  if (event.type == EventType::association_lost) totals_.add_problem("an association ended early: " + end_text(event));
  if (peer->finishing && peer->checker->findings().messages < peer->finish.messages)
    totals_.lost += peer->finish.messages - peer->checker->findings().messages;
  for (const Event& echo : peer->echoes) application_.release(std::span(&echo, 1));
  peers_.erase(event.association.value);
  latest_id_ = 0;
  latest_ = nullptr;
  --totals_.associations;
  ++totals_.ended;
}

void ServerLoop::on_restart(const Event& event) {
  Peer* const peer = find(event.association);
  if (peer == nullptr) return;
  totals_.add_problem("a peer restarted");
  for (const Event& echo : peer->echoes) application_.release(std::span(&echo, 1));
  *peer = Peer{};
}

bool ServerLoop::on_message(Peer& peer, const Event& event) {
  const std::uint32_t ppid = event.ppid.value;
  if (ppid < kSequences && peer.checker != nullptr) {
    const Findings before = peer.checker->findings();
    peer.checker->take(event);
    count(before, peer.checker->findings());
    if (peer.finishing) report_if_complete(event.association, peer);
    return false;
  }
  if (ppid == kHelloPpid) {
    const auto hello = from_message<Hello>(event.bytes());
    if (const auto workload = hello ? workload_of(*hello) : std::nullopt) {
      peer.content = std::make_unique<Content>(*workload);
      peer.checker = std::make_unique<Checker>(*peer.content);
      return false;
    }
  }
  if (ppid == kFinishPpid && peer.checker != nullptr) {
    if (const auto finish = from_message<Finish>(event.bytes())) {
      peer.finish = *finish;
      peer.finishing = true;
      report_if_complete(event.association, peer);
    }
    return false;
  }
  return !echo(peer, event);
}

void ServerLoop::count(const Findings& before, const Findings& after) {
  const auto add = [](std::atomic<std::uint64_t>& total, std::uint64_t more) {
    // One writer would not need the locked instruction, but several loops may share the totals.
    if (more > 0) total.fetch_add(more, std::memory_order_relaxed);
  };
  add(totals_.messages, after.messages - before.messages);
  add(totals_.bytes, after.bytes - before.bytes);
  add(totals_.corrupted, after.corrupted - before.corrupted);
  add(totals_.misordered, after.misordered - before.misordered);
  add(totals_.duplicated, after.duplicated - before.duplicated);
}

bool ServerLoop::send_back(const Event& event) {
  SendOptions options;
  options.unordered = event.unordered;
  options.end = event.end;
  const SendResult result = application_.send(event.association, event.stream, event.ppid, event.bytes(), options);
  if (event.end && result != SendResult::queued && result != SendResult::would_block) totals_.echo_failures.add(result);
  return result != SendResult::would_block;
}

bool ServerLoop::echo(Peer& peer, const Event& event) {
  totals_.bytes.fetch_add(event.length, std::memory_order_relaxed);
  if (event.end) {
    totals_.messages.fetch_add(1, std::memory_order_relaxed);
    totals_.echoed.fetch_add(1, std::memory_order_relaxed);
  }
  if (peer.echoes.empty() && send_back(event)) return true;
  peer.echoes.push_back(event);
  return false;
}

void ServerLoop::send_waiting(AssocId association, Peer& peer) {
  for (; !peer.echoes.empty(); peer.echoes.pop_front()) {
    if (!send_back(peer.echoes.front())) return;
    application_.release(std::span(&peer.echoes.front(), 1));
  }
  if (peer.finishing) report_if_complete(association, peer);
}

void ServerLoop::report_if_complete(AssocId association, Peer& peer) {
  // The Finish may overtake messages of other streams; SCTP delivers them all, so the count is waited for.
  if (peer.reported || peer.checker->findings().messages < peer.finish.messages) return;
  const Report report{peer.checker->findings()};
  peer.reported =
      application_.send(association, StreamId(0), Ppid(kReportPpid), as_message(report)) == SendResult::queued;
}

}  // namespace sluice::apps
