"""PlanogramProduct: which product belongs at which place of a planogram (contract 9.2), one row a place."""

from coldshelf.records.columns import whole
from coldshelf.records.dataset import Dataset, common_columns

PLANOGRAM_PRODUCT = Dataset(
    name="PlanogramProduct",
    relation="planogram_product",
    key="PlanogramProductId",
    keys=("PlanogramId", "Shelf", "Position"),
    meaning="Place of a planogram and the product that belongs there; deleted with its planogram",
    client_wide="Planograms are the same for every outlet.",
    plain_filters=("PlanogramId", "ProductId"),
    columns=(
        whole("PlanogramProductId", "Id of the place, the same for life", "id"),
        whole("PlanogramId", "Planogram"),
        whole("Shelf", "Shelf from the top, from 1; with PlanogramUse Priority the priority"),
        whole("Position", "Place from the left, from 1; with PlanogramUse Priority the wanted facing"),
        whole("ProductId", "Product that belongs there"),
        whole("ProductRanking", "What imports call Shelf/Priority: 1 is the first", "shelf"),
        whole("ProductStackSize", "Products one on the other, from 1 to 5", "stack_size"),
        *common_columns(),
    ),
)
