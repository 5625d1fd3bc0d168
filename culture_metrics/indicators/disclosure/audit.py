from __future__ import annotations
import numpy as np, polars as pl
from culture_metrics.indicators.disclosure.attack import attack
from culture_metrics.indicators.disclosure.block import LAYER, blocks
from culture_metrics.indicators.disclosure.knowledge import Place
from culture_metrics.indicators.disclosure.rule import Rule
from culture_metrics.indicators.disclosure.structure import CELL

def audit0(results, minimum_base=11, minimum_count=None, parents=None):
    rule=Rule(minimum_base,minimum_count); out=[]
    for block in blocks(results, rule, parents, mark=False):
        place=Place(block, np.arange(len(block.base)), across=True)
        for layer in range(block.base.shape[1]):
            t=place.tables(layer, block.state, rule, totals_too=True, inside=False)
            for view in t.views:
                for f in attack(t.puzzle(t.hidden,view), rule, everything=True):
                    out.append((place.cells[f.cell], layer, f.low, f.high, f.size, f.breaks(rule)))
    return out
