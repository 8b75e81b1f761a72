#pragma once

#include <sluice/application.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace sluice::apps {

/// Hands out one event at a time, and says of a message what the test wants it to.
class ScriptedApplication : public Application {
 public:
  std::size_t poll(std::span<Event> events) override {
    if (!next) return 0;
    events[0] = *next;
    if (once) next.reset();
    return 1;
  }
  void release(std::span<const Event> events) override {
    for (const Event& event : events) released.push_back(event.handle);
  }
  SendResult send(AssocId association, StreamId, Ppid, std::span<const std::byte>, const SendOptions&) override {
    if (refuses) return *refuses;
    if (room == 0) return SendResult::would_block;
    --room;
    ++sent[association.value];
    return SendResult::queued;
  }

  EndpointId open(const EndpointOptions&) override { return {}; }
  void close(EndpointId) override {}
  std::uint16_t local_port(EndpointId) const override { return 0; }
  bool connect(EndpointId, std::span<const IpAddress>, std::uint16_t, std::uint64_t,
               const std::optional<Parameters>&) override {
    if (connects) ++attempts;
    return connects;
  }
  void shutdown(AssocId) override {}
  void abort(AssocId, std::string_view) override {}
  void wait(Duration) override {}
  int wait_descriptor() override { return -1; }
  bool set_primary(AssocId, PathId) override { return false; }
  bool request_heartbeat(AssocId, PathId) override { return false; }
  bool set_path(AssocId, PathId, const PathOptions&) override { return false; }
  bool set_parameters(AssocId, const Parameters&) override { return false; }
  void set_parameters(EndpointId, const Parameters&) override {}
  std::optional<Parameters> parameters(AssocId) override { return {}; }
  std::optional<AssociationStatus> status(AssocId) override { return {}; }

  std::optional<Event> next = Event();
  bool once = false;                            // next is handed out one time
  bool connects = false;                        // connect() takes what it is asked
  std::uint32_t attempts = 0;                   // that it took
  std::optional<SendResult> refuses;            // every message
  std::uint32_t room = 0;                       // for messages
  std::map<std::uint64_t, std::uint64_t> sent;  // messages, by association
  std::vector<std::uint64_t> released;
};

}  // namespace sluice::apps
