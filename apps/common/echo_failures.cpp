#include "apps/common/echo_failures.hpp"

#include "apps/common/reason_text.hpp"

namespace sluice::apps {

const char* text_of(SendResult result) {
  switch (result) {
    case SendResult::invalid_stream:
      return "we send on fewer streams than the peer does; raise parameters.outbound_streams";
    case SendResult::not_connected:
      return "the association was ending";
    case SendResult::wrong_part:
      return "its beginning was lost";
    default:
      return "the stack does not take it";
  }
}

const char* failure_text(const Event& failed) {
  switch (failed.reason()) {
    case Reason::wrong_part:
      return text_of(SendResult::wrong_part);
    case Reason::invalid_stream:
      return text_of(SendResult::invalid_stream);
    case Reason::restarted:
      return "the peer restarted";
    case Reason::closed:
    case Reason::local_abort:
      return text_of(SendResult::not_connected);
    default:
      return text_of(failed.reason());
  }
}

void EchoFailures::add(const Event& failed) {
  if (failed.end && failed.reason() == Reason::wrong_part) add(SendResult::wrong_part);
  if (failed.end && failed.reason() == Reason::invalid_stream) add(SendResult::invalid_stream);
}

std::uint64_t EchoFailures::missed() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kResults; ++i)
    if (static_cast<SendResult>(i) != SendResult::not_connected) sum += counts_[i];
  return sum;
}

std::vector<std::string> EchoFailures::sentences() const {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < kResults; ++i)
    if (const std::uint64_t count = counts_[i]; count > 0)
      all.push_back(std::to_string(count) + (count == 1 ? " message" : " messages") +
                    " could not be echoed: " + text_of(static_cast<SendResult>(i)));
  return all;
}

}  // namespace sluice::apps
