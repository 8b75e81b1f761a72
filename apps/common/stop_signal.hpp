#pragma once

namespace sluice::apps {

/// From now on SIGINT and SIGTERM ask the program to end instead of ending it; a second one ends it.
void catch_stop_signals();
/// One of them came.
bool stop_requested();

}  // namespace sluice::apps
