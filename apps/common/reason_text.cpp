#include "apps/common/reason_text.hpp"

#include <algorithm>

namespace sluice::apps {

const char* text_of(Reason reason) {
  switch (reason) {
    case Reason::peer_abort:
      return "the peer aborted it";
    case Reason::retransmissions:
      return "the peer does not answer any more";
    case Reason::init_failed:
      return "the peer does not answer";
    case Reason::refused:
      return "the peer refused it: nothing listens on that port, or it takes no more associations";
    case Reason::protocol_violation:
      return "the peer broke the protocol";
    case Reason::no_resources:
      return "a limit was reached";
    default:
      return "it ended";
  }
}

std::string end_text(const Event& event) {
  constexpr std::size_t kMost = 80;
  std::string text = text_of(event.reason());
  if (event.length == 0) return text;
  text += ": ";
  for (const std::byte byte : event.bytes().first(std::min<std::size_t>(event.length, kMost))) {
    const char c = static_cast<char>(byte);
    text += c >= ' ' && c <= '~' ? c : '.';  // a peer may say anything
  }
  return text;
}

}  // namespace sluice::apps
