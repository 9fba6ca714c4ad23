//! What the library irithyll takes for the models of ../reference.c, on the same rows: `reference MODEL D` prints the ns
//! of one predict and of one train, each the minimum over repeats.

use irithyll::learner::StreamingLearner;
use irithyll::learners::linear::StreamingLinearModel;
use irithyll::learners::rls::RecursiveLeastSquares;
use irithyll::moe::NeuralMoE;
use std::hint::black_box;
use std::time::Instant;

const CELLS: usize = 4096;
const ROWS_MOST: usize = 512;
const NOISES: usize = 1021;
const ANSWERS: usize = 512;
const REPEATS: usize = 30;
const BURST_NS: f64 = 2e5;

/// Uniform features and a linear target with noise: rows.h has the same.
struct Rows {
    d: usize,
    n: usize,
    next: usize,
    x: Vec<f64>,
    base: Vec<f64>,
    noise: Vec<f64>,
}

struct Uniform(u64);

impl Uniform {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / 4503599627370496.0 - 1.0
    }
}

impl Rows {
    fn new(d: usize) -> Rows {
        let mut uniform = Uniform(1);
        let n = (CELLS / d).min(ROWS_MOST);
        let scale = (if d < 16 { 1 } else { d / 8 }) as f64;
        let (mut x, mut base) = (Vec::new(), Vec::new());
        for _ in 0..n {
            let mut y = 1.0;
            for j in 0..d {
                let v = uniform.next() / scale;
                y += v * (j % 3) as f64;
                x.push(v);
            }
            base.push(y);
        }
        let noise = (0..NOISES).map(|_| 0.1 * uniform.next()).collect();
        Rows { d, n, next: 0, x, base, noise }
    }

    fn next(&mut self) -> (&[f64], f64) {
        let i = self.next;
        let r = i & (self.n - 1);
        self.next += 1;
        (&self.x[r * self.d..(r + 1) * self.d], self.base[r] + self.noise[i % NOISES])
    }
}

fn train<M: StreamingLearner>(model: &mut M, rows: &mut Rows, count: usize) {
    for _ in 0..count {
        let (x, y) = rows.next();
        model.train_one(x, y, 1.0);
    }
}

/// The predictions are kept: a sum would wait for the one before.
fn predict<M: StreamingLearner>(model: &M, rows: &mut Rows, count: usize) {
    let mut answer = [0.0; ANSWERS];
    for i in 0..count {
        answer[i % ANSWERS] = model.predict(rows.next().0);
    }
    black_box(answer);
}

fn once(run: &mut dyn FnMut(usize), count: usize) -> f64 {
    let start = Instant::now();
    run(count);
    start.elapsed().as_nanos() as f64
}

fn minimum(run: &mut dyn FnMut(usize)) -> f64 {
    let mut count = 1;
    while count < 1 << 20 && once(run, count) < BURST_NS / 2.0 {
        count *= 2;
    }
    (0..REPEATS).map(|_| once(run, count) / count as f64).fold(f64::INFINITY, f64::min)
}

fn measure<M: StreamingLearner>(mut model: M, d: usize) {
    let mut rows = Rows::new(d);
    let start = Instant::now();
    let mut warm = 0;
    while warm < 20000 && start.elapsed().as_secs_f64() < 0.2 {
        train(&mut model, &mut rows, 100);
        warm += 100;
    }
    let asked = minimum(&mut |count| predict(&model, &mut rows, count));
    let learned = minimum(&mut |count| train(&mut model, &mut rows, count));
    println!("{asked:.2} {learned:.2}");
}

/// As many linear models, their rates as in reference.c, two of them active.
fn mixture(experts: usize) -> NeuralMoE {
    let rates = [0.01, 0.02, 0.005, 0.015];
    let mut builder = NeuralMoE::builder().top_k(2);
    for i in 0..experts {
        builder = builder.expert(StreamingLinearModel::new(rates[i % 4]));
    }
    builder.build().expect("a mixture")
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let d: usize = args[2].parse().expect("a number of features");
    match args[1].as_str() {
        "linear" => measure(StreamingLinearModel::new(0.01), d),
        "rls" => measure(RecursiveLeastSquares::with_fixed_forgetting(0.999, 100.0), d),
        "mixture4" => measure(mixture(4), d),
        "mixture16" => measure(mixture(16), d),
        other => panic!("no model {other}"),
    }
}
