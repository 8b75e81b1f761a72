#pragma once

#include <string>
#include <vector>

namespace sluice::apps {

/// Rows of text in columns as wide as they need; the first row is the heading. Columns of numbers stand to the right.
class Table {
 public:
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.size() < 2; }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace sluice::apps
