#include "actors/sequenced_call.hpp"

#include <utility>

namespace pawl {

sequenced_call::sequenced_call(shard_id shard, sequenced_batch batch, carrier carry, listener heard,
                               std::function<void(sequenced_answer)> done)
    : shard_(shard),
      batch_(std::move(batch)),
      carry_(std::move(carry)),
      heard_(std::move(heard)),
      done_(std::move(done)) {}

void sequenced_call::start(std::uint64_t word) {
  auto f = batch_.messages ? whole_block(shard_, 0, {}, batch_.messages) : frame{shard_, 0, {}, {}, {}, {}};
  auto of = std::make_shared<sequence>();
  of->source = "source/" + batch_.source;
  of->follows = batch_.follows;
  of->word = word;
  of->positions = batch_.positions;
  f.of = std::move(of);
  carry_(std::move(f), [self = shared_from_this(), word](std::optional<frame_answer> answer) {
    self->on_answer(word, std::move(answer));
  });
}

void sequenced_call::on_answer(std::uint64_t word, std::optional<frame_answer> answer) {
  sequenced_answer a;
  if (!answer || !answer->mark) {
    if (answer) a.results = std::move(answer->results);  // they say why
    a.results.resize(batch_.positions.size(),
                     {result_kind::unknown, reason_code::no_owner, "no owner of the shard answered in time"});
    return done_(std::move(a));
  }
  const auto& mark = *answer->mark;
  if (mark.word != word) heard_(mark.word);
  if (mark.word != word && mark.taken.mark() == batch_.follows && !batch_.positions.empty() &&
      !std::exchange(again_, true))
    return start(mark.word);
  a.known = true;
  a.taken = mark.taken.mark();
  a.results = std::move(answer->results);
  done_(std::move(a));
}

}  // namespace pawl
