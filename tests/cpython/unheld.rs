//! Records a program whose C code loses objects, and one that keeps all of its own.

use refloop::run::{Options, open};

use crate::record::Place;
use crate::support::pythons::Python;

on_each_python! { what_c_code_loses_is_told_by_type_and_line }

fn what_c_code_loses_is_told_by_type_and_line(python: &Python) {
    let lost = "import ctypes\n\
        def load(n):\n    text = 'lost %d' % n\n    ctypes.pythonapi.Py_IncRef(ctypes.py_object(text))\n\
        kept = ['kept %d' % n for n in range(3000)]\n\
        for n in range(2000):\n    load(n)\n";
    let kept = "import decimal, json\nclass Item:\n    __slots__ = ('n', 'text')\n\
        items = [Item() for _ in range(3000)]\n\
        for n, item in enumerate(items):\n    item.n = float(n)\n    item.text = str(decimal.Decimal(n))\n\
        table = {('key', n): {n, n + 1} for n in range(1000)}\ndone = json.loads(json.dumps([n for n in range(2000)]))\n\
        made = (n for n in range(10))\nnext(made)\n";
    for (program, expected) in [(lost, vec![("str".to_string(), 2000, 3)]), (kept, Vec::new())] {
        let place = Place::with(program);
        place.recorded(&["-q", "--events", "full"], &python.path, &["app.py"]);
        let run = open(&place.traces()[0], &Options::default()).unwrap();
        let unheld = run.unheld.unwrap();
        let found: Vec<(String, u64, u32)> =
            unheld.iter().map(|row| (row.type_name.clone(), row.objects, row.stack[0].line)).collect();
        assert_eq!(found, expected, "{python}");
    }
}
