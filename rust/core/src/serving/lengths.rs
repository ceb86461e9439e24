//! How long prompts and answers are: alike, or rows with weights.

use super::service::{Length, Service};

impl Service {
    /// Lengths with their shares, which add up to 1; one of them where all requests are alike.
    pub(super) fn rows(&self) -> Vec<Length> {
        if self.lengths.is_empty() {
            let (input, output) = (self.input, self.output);
            let share = 1.0;
            return vec![Length {
                input,
                output,
                share,
            }];
        }
        self.lengths.clone()
    }

    /// Tokens of a sequence that decodes, in the mean over those that do: long answers do for longer.
    pub(super) fn mean_context(&self) -> f64 {
        let (mut tokens, mut time) = (0.0, 0.0);
        if self.lengths.is_empty() {
            return self.input + self.output / 2.0;
        }
        for one in &self.lengths {
            tokens += one.share * one.output * (one.input + one.output / 2.0);
            time += one.share * one.output;
        }
        tokens / time
    }

    /// Share of the sequences that decode which have at most so many tokens, anywhere in their answers.
    pub(super) fn within(&self, tokens: f64) -> f64 {
        let own = |one: &Length| {
            let done = (tokens - one.input).clamp(0.0, one.output);
            (one.share * done, one.share * one.output)
        };
        if self.lengths.is_empty() {
            return (tokens - self.input).clamp(0.0, self.output) / self.output;
        }
        let sums = self.lengths.iter().map(own);
        let (done, all) = sums.fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        done / all
    }

    /// Steps of decoding of an answer.
    pub(super) fn steps_of(&self, output: f64) -> f64 {
        // The last step is a whole one, however many of its tokens are asked for.
        let steps = ((output - 1.0) / self.yields()).max(0.0);
        if steps > 0.0 { steps.max(1.0) } else { 0.0 }
    }
}
