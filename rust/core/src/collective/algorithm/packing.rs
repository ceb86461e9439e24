//! A packing linear program: how much of each activity fits, when each uses some of several unit resources.

/// Below this a reduced gain or a pivot counts as zero: columns are scaled to a largest entry of 1.
const TINY: f64 = 1e-12;

/// Amounts x >= 0 that maximise sum(x) with sum_j x[j] * columns[j][i] <= 1 for every resource i, by the simplex
/// method with Bland's rule (it cannot cycle). All entries are finite and >= 0, and every column has a
/// positive one.
pub(crate) fn maximise(columns: &[Vec<f64>]) -> Vec<f64> {
    let rows = columns[0].len();
    let scale = columns.iter().flatten().copied().fold(0.0, f64::max);
    let activities = columns.len();
    // Tableau: activities, then slacks, then the right-hand side; the slacks start as the basis.
    let width = activities + rows + 1;
    let mut tableau: Vec<Vec<f64>> = (0..rows)
        .map(|row| {
            let mut line: Vec<f64> = columns.iter().map(|column| column[row] / scale).collect();
            line.extend((0..rows).map(|slack| f64::from(u8::from(slack == row))));
            line.push(1.0);
            line
        })
        .collect();
    let mut gain: Vec<f64> = (0..width)
        .map(|column| f64::from(u8::from(column < activities)))
        .collect();
    let mut basis: Vec<usize> = (activities..activities + rows).collect();
    while let Some(enter) = (0..width - 1).find(|&column| gain[column] > TINY) {
        let leave = (0..rows)
            .filter(|&row| tableau[row][enter] > TINY)
            .min_by(|&a, &b| {
                let ratio = |row: usize| tableau[row][width - 1] / tableau[row][enter];
                ratio(a).total_cmp(&ratio(b)).then(basis[a].cmp(&basis[b]))
            })
            .expect("every activity uses a resource, so none is unbounded");
        let pivot = tableau[leave][enter];
        tableau[leave].iter_mut().for_each(|entry| *entry /= pivot);
        let line = tableau[leave].clone();
        let clear = |other: &mut Vec<f64>| {
            let factor = other[enter];
            for (entry, value) in other.iter_mut().zip(&line) {
                *entry -= factor * value;
            }
        };
        for (row, other) in tableau.iter_mut().enumerate() {
            if row != leave {
                clear(other);
            }
        }
        clear(&mut gain);
        basis[leave] = enter;
    }
    let mut amounts = vec![0.0; activities];
    for (row, &column) in basis.iter().enumerate() {
        if column < activities {
            amounts[column] = tableau[row][width - 1].max(0.0) / scale;
        }
    }
    amounts
}

#[cfg(test)]
mod tests {
    use super::maximise;

    #[test]
    fn fills_both_resources() {
        // One activity per resource and a poor one that uses both: 1 + 2 fits.
        let amounts = maximise(&[vec![1.0, 0.0], vec![1.0, 1.0], vec![0.0, 0.5]]);
        assert!(
            (amounts.iter().sum::<f64>() - 3.0).abs() < 1e-12,
            "{amounts:?}"
        );
        assert!(amounts[1].abs() < 1e-12);
    }

    #[test]
    fn a_single_activity_is_bound_by_its_dearest_resource() {
        assert_eq!(maximise(&[vec![4.0, 2.0]]), vec![0.25]);
    }
}
