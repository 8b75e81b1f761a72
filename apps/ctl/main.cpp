#include <sluice/config.hpp>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <vector>

#include "apps/common/json.hpp"
#include "apps/common/not_negative.hpp"
#include "apps/common/stack_options.hpp"
#include "apps/common/table.hpp"
#include "apps/ctl/telemetry_client.hpp"

namespace sluice::apps {
namespace {

struct CtlOptions {
  std::string instance;
  bool json = false;
  bool all = false;
  bool associations = false;
  std::string room;
  std::uint64_t after = 0;
  std::uint64_t limit = 100;
};

using Member = JsonValue::Member;

/// Calls visit(id, association) for up to options.limit associations; returns the id after which more follow, 0: none.
template <class Visit>
std::uint64_t for_each_association(const CtlOptions& options, Visit&& visit) {
  TelemetryClient client(options.instance);
  std::uint64_t shown = 0;
  std::uint64_t after = options.after;
  for (;;) {
    const JsonValue page = client.ask("/sluice/associations", after);
    const JsonValue* const next = page.find("next");
    for (const Member& member : *page.object()) {
      if (member.value.object() == nullptr) continue;
      if (shown++ == options.limit) return after;
      visit(member.name, member.value);
      after = std::strtoull(member.name.c_str(), nullptr, 10);
    }
    if (next == nullptr || next->number() == 0) return 0;
  }
}

std::string field(const JsonValue& of, const std::string& name) {
  const JsonValue* const found = of.find(name);
  return found == nullptr ? "-" : found->text();
}

void write(Json& json, const std::string& name, const JsonValue& value) {
  if (const auto* const number = std::get_if<std::uint64_t>(&value.value))
    json.add(name, *number);
  else
    json.add(name, value.text());
}

/// What the names of a path's values begin with: telemetry's groups hold no groups.
std::string path_prefix(std::uint64_t path) {
  return "path" + std::to_string(path) + '_';
}

std::uint64_t paths_of(const JsonValue& association) {
  const JsonValue* const count = association.find("paths");
  return count == nullptr ? 0 : count->number();
}

/// The values of the paths stand behind their number.
void write_association(Json& json, const std::string& id, const JsonValue& association) {
  const JsonValue::Object& values = *association.object();
  json.begin_object().add("id", id);
  auto next = values.begin();
  for (; next != values.end() && next->name != "paths"; ++next) write(json, next->name, next->value);
  json.begin_array("paths");
  for (std::uint64_t path = 0; path < paths_of(association); ++path) {
    const std::string prefix = path_prefix(path);
    json.begin_object();
    for (const auto& [name, value] : values)
      if (name.starts_with(prefix)) write(json, name.substr(prefix.size()), value);
    json.end_object();
  }
  json.end_array().end_object();
}

void say_more(std::uint64_t next) {
  if (next != 0) std::printf("more follow: --after %llu\n", static_cast<unsigned long long>(next));
}

int show_associations_json(const CtlOptions& options) {
  Json json;
  json.begin_object().begin_array("associations");
  const std::uint64_t next = for_each_association(
      options, [&](const std::string& id, const JsonValue& association) { write_association(json, id, association); });
  json.end_array().add("next", next).end_object();
  std::printf("%s\n", json.text().c_str());
  return 0;
}

int show_associations(const CtlOptions& options) {
  if (options.json) return show_associations_json(options);
  Table table;
  table.add({"id", "state", "worker", "port", "peer", "peer port", "in", "out", "buffered", "sent", "received",
             "retransmitted", "errors", "failovers"});
  const std::uint64_t next = for_each_association(options, [&](const std::string& id, const JsonValue& a) {
    table.add({id, field(a, "state"), field(a, "worker"), field(a, "local_port"), field(a, "path0_destination"),
               field(a, "peer_port"), field(a, "streams_in"), field(a, "streams_out"), field(a, "buffered_bytes"),
               field(a, "chunks_sent"), field(a, "chunks_received"), field(a, "chunks_retransmitted"),
               field(a, "errors"), field(a, "failovers")});
  });
  std::printf("%s", table.empty() ? "no associations\n" : table.text().c_str());
  say_more(next);
  return 0;
}

int show_paths(const CtlOptions& options) {
  if (options.json) return show_associations_json(options);
  Table table;
  table.add({"association", "path", "source", "destination", "state", "primary", "RTO us", "SRTT us", "cwnd",
             "ssthresh", "outstanding", "retransmitted", "errors", "PMTU"});
  const std::uint64_t next = for_each_association(options, [&](const std::string& id, const JsonValue& a) {
    for (std::uint64_t i = 0; i < paths_of(a); ++i) {
      const std::string prefix = path_prefix(i);
      const auto of = [&](const char* name) { return field(a, prefix + name); };
      const bool unset = of("ssthresh") == std::to_string(UINT32_MAX);  // nothing was lost yet
      table.add({id, std::to_string(i), of("source"), of("destination"), of("state"), of("primary") == "1" ? "yes" : "",
                 of("rto_us"), of("srtt_us"), of("cwnd"), unset ? "-" : of("ssthresh"), of("outstanding"),
                 of("retransmitted"), of("errors"), of("pmtu")});
    }
  });
  std::printf("%s", table.empty() ? "no associations\n" : table.text().c_str());
  say_more(next);
  return 0;
}

/// Calls visit(name, value) for every counter of the stack.
template <class Visit>
void for_each_counter(const CtlOptions& options, Visit&& visit) {
  TelemetryClient client(options.instance);
  std::uint64_t from = 0;
  do {
    const JsonValue page = client.ask("/sluice/counters", from);
    for (const auto& [name, value] : *page.object())
      if (name != "next") visit(name, value);
    const JsonValue* const next = page.find("next");
    from = next == nullptr ? 0 : next->number();
  } while (from != 0);
}

int show_counters(const CtlOptions& options) {
  Json json;
  json.begin_object();
  Table table;
  table.add({"counter", "value"});
  bool known = false;
  for_each_counter(options, [&](const std::string& name, const JsonValue& value) {
    if (!name.starts_with(options.room)) return;
    known = true;
    json.add(name, value.number());
    if (options.all || value.number() != 0) table.add({name, value.text()});
  });
  if (!known) throw std::runtime_error("no counter's name begins with '" + options.room + "'");
  if (options.json)
    std::printf("%s\n", json.end_object().text().c_str());
  else
    std::printf("%s", table.empty() ? "every counter is 0\n" : table.text().c_str());
  return 0;
}

using Names = std::vector<std::string>;

/// An object of the SCTP MIB (RFC 3873 §3.1): the sum of the counters `of`, less `less`.
struct MibObject {
  const char* name;
  Names of;
  Names less = {};
};

Names joined(Names names, const Names& more) {
  names.insert(names.end(), more.begin(), more.end());
  return names;
}

/// Packets of one chunk by which an endpoint answers what belongs to no association, or to none yet.
const Names& endpoint_answers() {
  static const Names names = {"endpoint/init_acks_sent", "endpoint/aborts_sent", "endpoint/shutdown_completes_sent",
                              "endpoint/stale_errors_sent"};
  return names;
}

/// INITs and COOKIE ECHOs that an endpoint took, each under what came of it: an INIT may pass through two hands, and a
/// COOKIE ECHO that an association took is counted there. Nothing else that is out of the blue is read as chunks.
const Names& endpoint_chunks() {
  static const Names names = {
      "endpoint/init_acks_sent",          "endpoint/init_zero_tag",      "endpoint/init_not_alone",
      "endpoint/init_nonzero_packet_tag", "endpoint/init_malformed",     "endpoint/init_bad_values",
      "endpoint/init_host_name",          "endpoint/init_no_endpoint",   "endpoint/init_backlog_full",
      "endpoint/init_new_addresses",      "endpoint/init_wrong_peer",    "endpoint/cookie_bad_mac",
      "endpoint/cookie_unknown_key",      "endpoint/cookie_malformed",   "endpoint/cookie_stale",
      "endpoint/cookie_mismatch",         "endpoint/cookie_no_endpoint", "endpoint/cookie_backlog_full",
      "endpoint/cookie_directory_full",   "endpoint/cookie_discarded",   "endpoint/cookie_replayed",
      "endpoint/cookie_tag_in_use",       "endpoint/cookie_table_full",
  };
  return names;
}

const std::vector<MibObject>& mib_objects() {
  static const std::vector<MibObject> objects = {
      {"sctpCurrEstab", {"association/established_entered"}, {"association/established_left"}},
      {"sctpActiveEstabs", {"association/active_establishments"}},
      {"sctpPassiveEstabs", {"association/passive_establishments"}},
      {"sctpAborteds", {"association/aborted"}},
      {"sctpShutdowns", {"association/shutdowns"}},
      {"sctpOutOfBlues", {"endpoint/ootb_received"}},
      {"sctpChecksumErrors", {"worker/drop_checksum_bad", "worker/drop_checksum_zero"}},
      {"sctpOutCtrlChunks", joined({"association/control_chunks_sent"}, endpoint_answers())},
      {"sctpOutOrderChunks", {"association/ordered_chunks_sent"}},
      {"sctpOutUnorderChunks", {"association/unordered_chunks_sent"}},
      {"sctpInCtrlChunks", joined({"association/control_chunks_received"}, endpoint_chunks())},
      {"sctpInOrderChunks", {"association/ordered_chunks_received"}},
      {"sctpInUnorderChunks", {"association/unordered_chunks_received"}},
      {"sctpFragUsrMsgs", {"association/messages_fragmented"}},
      {"sctpReasmUsrMsgs", {"association/messages_reassembled"}},
      {"sctpOutSCTPPacks", joined({"association/packets_sent"}, endpoint_answers())},
      {"sctpInSCTPPacks", {"worker/rx_packets"}},
  };
  return objects;
}

/// The counters of the MIB's tables of associations and of their remote addresses (RFC 3873 §3.2), as they are named
/// there and by telemetry.
constexpr std::pair<const char*, const char*> kMibOfAssociation[] = {
    {"sctpAssocT1expireds", "t1_expired"},
    {"sctpAssocT2expireds", "t2_expired"},
    {"sctpAssocRtxChunks", "chunks_timed_out"},
};
constexpr const char* kMibOfAddress = "sctpAssocRemAddrRtx";

int show_mib_of_associations(const CtlOptions& options) {
  Json json;
  json.begin_object().begin_array("associations");
  Table table;
  table.add({"association", "address", "object", "value"});
  const std::uint64_t next = for_each_association(options, [&](const std::string& id, const JsonValue& association) {
    json.begin_object().add("id", id);
    for (const auto& [object, name] : kMibOfAssociation) {
      json.add(object, association.find(name)->number());
      table.add({id, "", object, field(association, name)});
    }
    json.begin_array("addresses");
    for (std::uint64_t path = 0; path < paths_of(association); ++path) {
      const std::string address = field(association, path_prefix(path) + "destination");
      const std::string retransmitted = path_prefix(path) + "retransmitted";
      json.begin_object().add("sctpAssocRemAddr", address);
      json.add(kMibOfAddress, association.find(retransmitted)->number()).end_object();
      table.add({id, address, kMibOfAddress, field(association, retransmitted)});
    }
    json.end_array().end_object();
  });
  json.end_array().add("next", next).end_object();
  if (options.json) {
    std::printf("%s\n", json.text().c_str());
    return 0;
  }
  std::printf("%s", table.empty() ? "no associations\n" : table.text().c_str());
  say_more(next);
  return 0;
}

int show_mib(const CtlOptions& options) {
  if (options.associations) return show_mib_of_associations(options);
  std::map<std::string, std::uint64_t> counters;
  for_each_counter(options, [&](const std::string& name, const JsonValue& value) { counters[name] = value.number(); });
  Json json;
  json.begin_object();
  Table table;
  table.add({"object", "value"});
  for (const MibObject& object : mib_objects()) {
    std::uint64_t value = 0;
    for (const std::string& name : object.of) value += counters.at(name);
    for (const std::string& name : object.less) value -= counters.at(name);
    json.add(object.name, value);
    table.add({object.name, std::to_string(value)});
  }
  std::printf("%s\n", options.json ? json.end_object().text().c_str() : table.text().c_str());
  return 0;
}

/// The name of the stack that is meant: the same options name it here as where it was started.
std::string instance_of(const std::string& file, const std::vector<std::string>& settings, const std::string& given) {
  StackConfig config = file.empty() ? StackConfig{} : load_config(file);
  for (const std::string& setting : settings) override_config(config, setting);
  return given.empty() ? config.instance : given;
}

int ctl_main(int argc, char** argv) {
  CtlOptions options;
  std::string file;
  std::string instance;
  std::vector<std::string> settings;
  CLI::App app("Shows the associations, paths and counters of a running stack.");
  require_one_subcommand(app);
  add_version(app, "sluice-ctl");
  app.fallthrough();  // options of all may stand behind the subcommand's name
  app.set_help_flag();
  app.set_help_all_flag("-h,--help", "Print this help, that of the subcommands included, and exit");
  app.add_option("-c,--config", file, "TOML file that the stack was started with: its instance is asked");
  app.add_option("--set", settings, "a setting that the stack was started with, such as instance=west; repeatable")
      ->allow_extra_args(false);
  app.add_option("--instance", instance,
                 "name of the stack; \"sluice\" when neither this nor the configuration says one");
  app.add_flag("--json", options.json, "print JSON");
  const auto add_pages = [&](CLI::App* command) {
    command->add_option("--after", options.after, "begin behind the association with this id")->check(not_negative());
    command->add_option("--limit", options.limit, "associations at most")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 32))
        ->capture_default_str();
    return command;
  };
  const CLI::App* const associations = add_pages(app.add_subcommand("associations", "list associations"));
  const CLI::App* const paths = add_pages(app.add_subcommand("paths", "list the paths of associations"));
  CLI::App* const counters = app.add_subcommand("counters", "list counters that are not 0");
  counters->add_flag("--all", options.all, "those that are 0 too");
  counters->add_option("--room", options.room,
                       "only counters whose name begins so: association, endpoint, ip, port, worker …");
  CLI::App* const mib = add_pages(app.add_subcommand("mib", "the counters of the SCTP MIB (RFC 3873) by their names"));
  mib->add_flag("--associations", options.associations, "those of each association and remote address instead");
  CLI11_PARSE(app, argc, argv);
  options.instance = instance_of(file, settings, instance);
  if (associations->parsed()) return show_associations(options);
  if (paths->parsed()) return show_paths(options);
  return mib->parsed() ? show_mib(options) : show_counters(options);
}

}  // namespace
}  // namespace sluice::apps

int main(int argc, char** argv) {
  return sluice::apps::run_program("sluice-ctl", sluice::apps::ctl_main, argc, argv);
}
