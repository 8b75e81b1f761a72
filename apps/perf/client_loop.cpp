#include "apps/perf/client_loop.hpp"

#include <sluice/error.hpp>

#include <algorithm>

#include "apps/common/reason_text.hpp"
#include "apps/perf/meter.hpp"

namespace sluice::apps {
namespace {

constexpr std::uint64_t kMessagesPerTurn = 128;  // of one association, before the next has its turn
constexpr std::uint32_t kMostOpening = 256;      // associations that come up at once

}  // namespace

ClientLoop::ClientLoop(Application& application, const PerfOptions& options, std::uint32_t associations, double rate,
                       ClientTotals& totals)
    : application_(application),
      options_(options),
      content_(options.workload),
      totals_(totals),
      associations_(associations),
      rate_(rate) {
  EndpointOptions endpoint;
  endpoint.port = options.local_port;
  endpoint_ = application_.open(endpoint);
}

void ClientLoop::connect() {
  std::vector<IpAddress> peers;
  for (const auto& peer : options_.peers) {
    const auto address = IpAddress::parse(peer);
    if (!address) throw Error("'" + peer + "' is not an IPv4 or IPv6 address");
    peers.push_back(*address);
  }
  while (opened_ < associations_ && opened_ - totals_.established - failed_ < kMostOpening &&
         application_.connect(endpoint_, peers, options_.port, opened_))
    ++opened_;
}

void ClientLoop::problem(const std::string& what) {
  if (totals_.problems.size() < 10) totals_.problems.push_back(what);
}

bool ClientLoop::turn() {
  if (opened_ < associations_) connect();
  const std::size_t n = application_.poll(events_);
  for (std::size_t i = 0; i < n; ++i) on_event(events_[i]);
  application_.release(std::span(events_).first(n));
  const bool sent = send_ready();
  return n > 0 || sent;
}

void ClientLoop::on_event(const Event& event) {
  switch (event.type) {
    case EventType::message:
      on_message(event);
      break;
    case EventType::association_up:
      on_up(event);
      break;
    case EventType::connect_failed:
      problem("an association did not come up: " + end_text(event));
      ++failed_;
      ++ended_;
      break;
    case EventType::association_lost:
    case EventType::closed:
      on_end(event);
      break;
    case EventType::shutdown_received:
      if (Peer* const peer = find(event.association)) on_shutdown(*peer);
      break;
    case EventType::restarted:
      // What was under way is lost and no answer to it will come.
      problem("the peer restarted");
      if (Peer* const peer = find(event.association)) {
        peer->explained = true;
        stop_sending(*peer);
      }
      application_.abort(event.association, "the peer restarted");
      break;
    case EventType::writable:
      if (Peer* const peer = find(event.association)) {
        peer->blocked = false;
        make_ready(*peer);
      }
      break;
    default:
      break;
  }
}

void ClientLoop::check_streams(const Event& event) const {
  const std::uint16_t wanted = options_.workload.streams;
  const auto too_few = [&](const char* peer_does, std::uint16_t streams, const char* parameter) {
    return Error(std::string("the peer ") + peer_does + ' ' + std::to_string(streams) + " streams, not " +
                 std::to_string(wanted) + "; give --streams " + std::to_string(streams) + " or raise parameters." +
                 parameter + " there");
  };
  if (event.streams_out < wanted) throw too_few("takes", event.streams_out, "max_inbound_streams");
  if (options_.latency && event.streams_in < wanted)
    throw too_few("sends on", event.streams_in, "outbound_streams");  // each answer comes on its request's stream
}

void ClientLoop::on_up(const Event& event) {
  Peer& peer = peers_.try_emplace(event.association.value, event.association, content_).first->second;
  ++totals_.associations;
  ++totals_.established;
  if (started_ == 0) started_ = now_seconds();
  totals_.active.note(now_nanoseconds());
  if (options_.latency) {
    peer.phase = Phase::sending;
    peer.answers = std::make_unique<Checker>(content_);
    peer.sent_at = std::make_unique<SendTimes>(options_.window);
  }
  check_streams(event);
  make_ready(peer);
}

void ClientLoop::on_end(const Event& event) {
  const auto found = peers_.find(event.association.value);
  if (found == peers_.end()) return;
  Peer& peer = found->second;
  if (event.type == EventType::association_lost || peer.phase != Phase::closing) {
    totals_.active.note(now_nanoseconds());
    const bool unreported = !options_.latency && peer.phase != Phase::closing && peer.load.messages() > 0;
    if (!peer.explained)
      problem("an association ended early: " +
              (event.type == EventType::closed ? "the peer shut it down" : end_text(event)) +
              (unreported ? "; what it had sent counts as lost, as no report says how much of it came" : ""));
  }
  count_lost(peer);
  if (peer.answers != nullptr) totals_.findings.add(peer.answers->findings());
  if (peer.ready) std::erase(ready_, &peer);
  peers_.erase(found);
  latest_id_ = 0;
  ++ended_;
  --totals_.associations;
}

// From closing on all is counted already: every answer has come, or the report told what had not.
void ClientLoop::count_lost(const Peer& peer) {
  if (peer.phase != Phase::closing) totals_.lost += peer.load.messages() - peer.answered;
}

ClientLoop::Peer* ClientLoop::find(AssocId association) {
  if (association.value == latest_id_) return latest_;
  const auto found = peers_.find(association.value);
  if (found == peers_.end()) return nullptr;
  latest_id_ = association.value;
  latest_ = &found->second;
  return latest_;
}

void ClientLoop::stop_sending(Peer& peer) {
  if (peer.phase != Phase::closing) peer.phase = Phase::ending;
}

void ClientLoop::on_shutdown(Peer& peer) {
  stop_sending(peer);
  // The association ends when all that was queued is sent: a message begun must have its end.
  if (peer.phase != Phase::ending || !peer.load.in_message()) return;
  peer.phase = Phase::completing;
  make_ready(peer);
}

void ClientLoop::on_message(const Event& event) {
  Peer* const found = find(event.association);
  if (found == nullptr) return;
  Peer& peer = *found;
  if (peer.answers != nullptr) {
    on_answer(peer, event);
  } else if (event.ppid.value == kReportPpid) {
    if (const auto report = from_message<Report>(event.bytes())) on_report(peer, *report);
  } else if (event.ppid.value == kHelloPpid) {
    on_own_hello(peer);
  }
}

/// No sluice-perf server sends that: what we send comes back.
void ClientLoop::on_own_hello(Peer& peer) {
  if (peer.phase == Phase::ending) return;
  problem("the peer sends back what it gets, as sluice-echo does: give --latency, or start 'sluice-perf server' there");
  peer.explained = true;
  stop_sending(peer);
  application_.abort(peer.id, "this load is for a sluice-perf server");
}

void ClientLoop::on_answer(Peer& peer, const Event& event) {
  if (!peer.answers->take(event)) return;
  const auto sent_at = peer.sent_at->take(event.ppid.value);
  if (!sent_at) return;  // twice, or of no request: the checker has counted that
  const std::uint64_t now = now_nanoseconds();
  totals_.latency.add(now - *sent_at);
  totals_.active.note(now);
  ++peer.answered;
  totals_.messages.fetch_add(1, std::memory_order_relaxed);
  totals_.bytes.fetch_add(content_.size(event.ppid.value), std::memory_order_relaxed);
  make_ready(peer);
}

void ClientLoop::on_report(Peer& peer, const Report& report) {
  totals_.active.note(now_nanoseconds());
  totals_.findings.add(report.findings);
  if (report.findings.messages < peer.load.messages()) totals_.lost += peer.load.messages() - report.findings.messages;
  peer.phase = Phase::closing;
  application_.shutdown(peer.id);
}

void ClientLoop::make_ready(Peer& peer) {
  if (peer.ready || peer.blocked) return;
  peer.ready = true;
  ready_.push_back(&peer);
}

/// With a rate, all associations have the same share of what is due; what is left when it is used up goes first next
/// time.
bool ClientLoop::send_ready() {
  bool sent = false;
  const std::uint64_t due = allowance();
  const std::size_t peers = ready_.size();
  turn_share_ = std::clamp<std::uint64_t>(due / std::max<std::size_t>(peers, 1), 1, kMessagesPerTurn);
  for (std::size_t turns = peers; turns > 0; --turns) {
    if (!finishing_ && due > 0 && allowance() == 0) break;
    Peer& peer = *ready_.front();
    ready_.pop_front();
    peer.ready = false;
    const std::uint64_t before = sent_;
    if (advance(peer)) make_ready(peer);
    sent = sent || sent_ != before;
  }
  return sent;
}

bool ClientLoop::send_control(Peer& peer, std::uint32_t ppid, std::span<const std::byte> bytes) {
  if (application_.send(peer.id, StreamId(0), Ppid(ppid), bytes) == SendResult::queued) return true;
  peer.blocked = true;
  return false;
}

bool ClientLoop::load_complete(const Peer& peer) const {
  if (peer.load.in_message()) return false;
  return finishing_ || (options_.messages > 0 && peer.load.messages() >= options_.messages);
}

std::uint64_t ClientLoop::allowance() {
  if (rate_ <= 0) return UINT64_MAX;
  const auto due = static_cast<std::uint64_t>((now_seconds() - started_) * rate_);
  return due > sent_ ? due - sent_ : 0;
}

bool ClientLoop::send_load(Peer& peer) {
  std::uint64_t may = std::min(allowance(), turn_share_);
  if (options_.latency) may = std::min<std::uint64_t>(may, options_.window - (peer.load.messages() - peer.answered));
  const std::uint64_t bytes_before = peer.load.bytes();
  std::uint64_t count = 0;
  for (; count < may && !load_complete(peer); ++count) {
    if (peer.answers != nullptr && !peer.load.in_message()) peer.sent_at->put(peer.load.sequence(), now_nanoseconds());
    if (!peer.load.send_next(application_)) {
      peer.blocked = true;
      break;
    }
  }
  sent_ += count;
  if (peer.answers == nullptr) {
    totals_.messages.fetch_add(count, std::memory_order_relaxed);
    totals_.bytes.fetch_add(peer.load.bytes() - bytes_before, std::memory_order_relaxed);
  }
  return !peer.blocked;
}

bool ClientLoop::advance(Peer& peer) {
  if (peer.phase == Phase::greeting) {
    if (!send_control(peer, kHelloPpid, as_message(hello_of(options_.workload)))) return false;
    peer.phase = Phase::sending;
  }
  if (peer.phase == Phase::sending) {
    if (!send_load(peer)) return false;
    if (!load_complete(peer)) return options_.latency ? peer.load.messages() - peer.answered < options_.window : true;
    peer.phase = Phase::closing_load;
  }
  if (peer.phase == Phase::closing_load) {
    if (options_.latency) {
      if (peer.answered < peer.load.messages()) return false;
      peer.phase = Phase::closing;
      application_.shutdown(peer.id);
      return false;
    }
    if (!send_control(peer, kFinishPpid, as_message(Finish{peer.load.messages(), peer.load.bytes()}))) return false;
    peer.phase = Phase::awaiting_report;
  }
  if (peer.phase == Phase::completing) {
    peer.blocked = !peer.load.send_next(application_);
    if (!peer.blocked) peer.phase = Phase::ending;
  }
  return false;
}

void ClientLoop::give_up(const std::string& why) {
  totals_.active.note(now_nanoseconds());
  for (auto& [id, peer] : peers_) {
    application_.abort(peer.id, why);
    count_lost(peer);
  }
  if (ended_ == associations_) return;
  std::string what = std::to_string(associations_ - ended_) + " associations did not come to their end: " + why;
  if (!connected())
    what = options_.peers.front() + " port " + std::to_string(options_.port) + " does not answer: " + why +
           "; is a server running there, and does a [[port]] or a [[route]] lead there?";
  else if (options_.latency && totals_.messages == 0)
    what += "; no answer came at all: does the peer send back what it gets?";
  else if (!options_.latency && totals_.findings.messages == 0)
    what +=
        "; the peer sent no report of what it received: is it a sluice-perf server? For one that echoes there is "
        "--latency";
  problem(what);
}

}  // namespace sluice::apps
