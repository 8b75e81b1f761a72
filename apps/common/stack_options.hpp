#pragma once

#include <sluice/config.hpp>

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace sluice::apps {

/// The options by which every program of Sluice is told what stack to start.
class StackOptions {
 public:
  /// Adds them to `app`, under a group of their own.
  void add_to(CLI::App& app);
  /// The configuration that file and options make together; options win. Throws sluice::Error.
  StackConfig config() const;

 private:
  std::string file_;
  std::string driver_;
  std::string device_;
  bool server_ = false;
  std::vector<std::string> addresses_;
  std::vector<std::string> gateways_;
  std::vector<std::string> settings_;
  int workers_ = 0;
  std::string instance_;

 public:
  std::vector<std::string> eal_arguments;  ///< from before `--`
  std::vector<std::string> defaults;       ///< settings of the program's own, which every option overrides
};

/// Takes the EAL arguments that stand before `--` out of a command line: `sluice-perf --no-pci -l 1 -- client …`.
std::vector<std::string> split_eal_arguments(int& argc, char**& argv, std::vector<char*>& storage);

/// `--version`: the name of the program and the version of Sluice.
void add_version(CLI::App& app, const char* name);

/// `app` wants one of its subcommands. A word that is none is named as such, where CLI11 alone would say that none was
/// given.
void require_one_subcommand(CLI::App& app);

/// Runs `body` and turns what it throws into one line on standard error; the exit status.
int run_program(const char* name, int (*body)(int, char**), int argc, char** argv);

}  // namespace sluice::apps
