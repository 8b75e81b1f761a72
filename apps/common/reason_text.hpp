#pragma once

#include <sluice/event.hpp>

#include <string>

namespace sluice::apps {

/// Why an association ended, in words.
const char* text_of(Reason reason);

/// Why the association of an association_lost or connect_failed event ended, with what the peer said about it, if it
/// did.
std::string end_text(const Event& event);

}  // namespace sluice::apps
