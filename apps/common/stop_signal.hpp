#pragma once

namespace sluice::apps {

/// From now on SIGINT and SIGTERM ask the program to end instead of ending it; one more ends it, if it comes a second
/// later: timeout(1), for one, sends its signal to the program and to its process group at once.
void catch_stop_signals();
/// One of them came.
bool stop_requested();

}  // namespace sluice::apps
