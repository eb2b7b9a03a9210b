//! Where units are, and that none of them is lost.

/// Where the units of a deal or a shelf are. `initial + restocked = available + held + sold +
/// written_off + returned`, in a difference too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Units it opened with.
    pub initial: i64,
    /// Units added later.
    pub restocked: i64,
    /// Units that can be taken.
    pub available: i64,
    /// Units in open holds.
    pub held: i64,
    /// Units sold.
    pub sold: i64,
    /// Units taken out of the books.
    pub written_off: i64,
    /// Units handed back: a deal's to the shelf, a shelf's to a deal.
    pub returned: i64,
}

impl Sums {
    /// Whether every unit is somewhere and no figure is negative.
    pub fn is_sound(&self) -> bool {
        let figures = [
            self.initial,
            self.restocked,
            self.available,
            self.held,
            self.sold,
            self.written_off,
            self.returned,
        ];
        figures.iter().all(|figure| *figure >= 0) && self.is_balanced()
    }

    /// Whether every unit is somewhere.
    pub fn is_balanced(&self) -> bool {
        self.initial + self.restocked
            == self.available + self.held + self.sold + self.written_off + self.returned
    }

    /// Figures falsified to the end of the range stay there, and the database refuses them.
    pub(super) fn add(&mut self, by: &Sums) {
        for (figure, by) in [
            (&mut self.initial, by.initial),
            (&mut self.restocked, by.restocked),
            (&mut self.available, by.available),
            (&mut self.held, by.held),
            (&mut self.sold, by.sold),
            (&mut self.written_off, by.written_off),
            (&mut self.returned, by.returned),
        ] {
            *figure = figure.saturating_add(by);
        }
    }
}
